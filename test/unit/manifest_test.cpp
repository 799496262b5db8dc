#include "bucket/manifest.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace hydra::bucket {
namespace {

Manifest example() {
  Manifest manifest;
  manifest.server_version = "17.6";
  manifest.database = "shop";
  manifest.timeline = 3;
  manifest.destination = "default";
  manifest.export_id = 42;
  manifest.folder = "201601310400";
  manifest.started_at = "2016-01-31T04:00:00.000000Z";
  manifest.finished_at = "2016-01-31T04:00:01.500000Z";
  manifest.status = "succeeded";
  ManifestModel model;
  model.name = "orders";
  model.relation = "public.orders";
  model.kind = "full";
  model.key_columns = {"id"};
  model.columns = {{"id", "bigint", true}, {"note", "text", false}};
  model.rows = 2;
  model.bytes = 5000000000;
  model.status = "succeeded";
  model.snapshot = "10:12:11";
  model.replaced = {{"public.orders_2015", 16500, "year = 2015"}, {"public.orders_old", 16501, ""}};
  model.objects = {{"201601310400/orders/1-2.json", 2, 5000000000, "ab", "cd", "1", "2", "", 0}};
  manifest.models = {model};
  return manifest;
}

TEST(Manifest, HasItsFieldsInOrder) {
  EXPECT_EQ(serialize(example()), R"({
  "version": 1,
  "server_version": "17.6",
  "database": "shop",
  "timeline": 3,
  "destination": "default",
  "export_id": 42,
  "folder": "201601310400",
  "started_at": "2016-01-31T04:00:00.000000Z",
  "finished_at": "2016-01-31T04:00:01.500000Z",
  "status": "succeeded",
  "models": [
    {
      "name": "orders",
      "relation": "public.orders",
      "kind": "full",
      "key_columns": [
        "id"
      ],
      "columns": [
        {
          "name": "id",
          "type": "bigint",
          "not_null": true
        },
        {
          "name": "note",
          "type": "text",
          "not_null": false
        }
      ],
      "rows": 2,
      "bytes": 5000000000,
      "status": "succeeded",
      "error": null,
      "snapshot": "10:12:11",
      "previous_folder": null,
      "lsn": null,
      "note": null,
      "replaced": [
        {
          "relation": "public.orders_2015",
          "relation_oid": 16500,
          "condition": "year = 2015"
        },
        {
          "relation": "public.orders_old",
          "relation_oid": 16501
        }
      ],
      "objects": [
        {
          "key": "201601310400/orders/1-2.json",
          "rows": 2,
          "bytes": 5000000000,
          "sha256": "ab",
          "etag": "cd",
          "first_id": "1",
          "last_id": "2"
        }
      ]
    }
  ]
}
)");
}

TEST(Manifest, OptionalFieldsThatAreThereAreWritten) {
  Manifest manifest = example();
  manifest.models[0].error = "no \"such\" column";
  manifest.models[0].previous_folder = "201601300400";
  manifest.models[0].lsn = "0/16B3748";
  manifest.models[0].note = "read with a fresh snapshot";
  manifest.models[0].objects[0].relation = "public.child";
  manifest.models[0].objects[0].relation_oid = 4000000000;
  const std::string text = serialize(manifest);
  EXPECT_NE(text.find(R"("relation": "public.child")"), std::string::npos);
  EXPECT_NE(text.find(R"("relation_oid": 4000000000)"), std::string::npos);
  EXPECT_NE(text.find(R"("error": "no \"such\" column")"), std::string::npos);
  EXPECT_NE(text.find(R"("previous_folder": "201601300400")"), std::string::npos);
  EXPECT_NE(text.find(R"("lsn": "0/16B3748")"), std::string::npos);
  EXPECT_NE(text.find(R"("note": "read with a fresh snapshot")"), std::string::npos);
}

TEST(Manifest, AnEmptyExportHasAnEmptyList) {
  EXPECT_NE(serialize(Manifest()).find("\"models\": []"), std::string::npos);
}

TEST(Manifest, NamesTheFieldThatIsNotUtf8) {
  Manifest manifest = example();
  manifest.models[0].key_columns = {"\xff"};
  try {
    serialize(manifest);
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "field \"key_columns\" of the manifest is not valid UTF-8");
  }
}

}  // namespace
}  // namespace hydra::bucket
