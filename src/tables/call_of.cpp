#include "tables/call_of.hpp"

#include "pg/spi.hpp"

namespace hydra::tables {

std::string call_of(const std::string& function, const std::string& destination,
                    const std::string& arguments) {
  std::string all = arguments;
  if (destination != "default") {
    all += (all.empty() ? "" : ", ") + ("destination => " + pg::quote_literal(destination));
  }
  return "hydra_export." + function + '(' + all + ')';
}

}  // namespace hydra::tables
