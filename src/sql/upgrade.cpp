// Steps of ALTER EXTENSION UPDATE that cannot be done in SQL.
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "tables/destination.hpp"
#include "tables/secrets.hpp"

namespace hydra::sql {
namespace {

// Up to 0.1.0, static credentials were rows of a table. No statement of the script contains one.
void move_secrets() {
  for (const pg::Row& row : pg::query(
           "SELECT destination, access_key, secret_key, session_token FROM hydra_export.secrets")) {
    tables::save_credentials(pg::or_empty(row[0]),
                             {pg::or_empty(row[1]), pg::or_empty(row[2]), pg::or_empty(row[3])});
  }
}

}  // namespace
}  // namespace hydra::sql

extern "C" {

PG_FUNCTION_INFO_V1(hydra_export_upgrade_from_0_1_0);

Datum hydra_export_upgrade_from_0_1_0(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  hydra::pg::entry([]() {
    hydra::pg::AsOwner owner;
    hydra::tables::lock_destinations();
    hydra::sql::move_secrets();
    hydra::tables::adopt_cluster();
  });
  PG_RETURN_VOID();
}

}  // extern "C"
