#include "s3/aws.hpp"

#include <gtest/gtest.h>

#include "s3/endpoint.hpp"

namespace hydra::s3 {
namespace {

std::string_view host_partition(std::string_view host) {
  const Partition* partition = partition_of_host(host);
  return partition == nullptr ? "" : partition->name;
}

TEST(Partition, OfARegion) {
  const std::pair<const char*, const char*> regions[] = {{"us-east-1", "aws"},
                                                         {"eu-central-1", "aws"},
                                                         {"cn-north-1", "aws-cn"},
                                                         {"us-gov-west-1", "aws-us-gov"},
                                                         {"eusc-de-east-1", "aws-eusc"},
                                                         {"us-iso-east-1", "aws-iso"},
                                                         {"us-isob-east-1", "aws-iso-b"},
                                                         {"eu-isoe-west-1", "aws-iso-e"},
                                                         {"us-isof-south-1", "aws-iso-f"},
                                                         {"auto", "aws"},
                                                         {"", "aws"}};
  for (const auto& [region, partition] : regions)
    EXPECT_EQ(partition_of_region(region).name, partition) << region;
}

TEST(Partition, OfAHost) {
  const std::pair<const char*, const char*> hosts[] = {
      {"s3.amazonaws.com", "aws"},
      {"s3.eu-west-1.amazonaws.com", "aws"},
      {"s3-eu-west-1.amazonaws.com", "aws"},
      {"s3-external-1.amazonaws.com", "aws"},
      {"s3.dualstack.eu-west-1.amazonaws.com", "aws"},
      {"s3-accelerate.amazonaws.com", "aws"},
      {"s3-accelerate.dualstack.amazonaws.com", "aws"},
      {"bucket.vpce-1a2b-c3.s3.us-east-1.vpce.amazonaws.com", "aws"},
      {"s3.us-gov-west-1.amazonaws.com", "aws-us-gov"},
      {"s3-us-gov-west-1.amazonaws.com", "aws-us-gov"},
      {"s3-fips-us-gov-west-1.amazonaws.com", "aws-us-gov"},
      {"s3-fips.dualstack.us-gov-east-1.amazonaws.com", "aws-us-gov"},
      {"s3.cn-north-1.amazonaws.com.cn", "aws-cn"},
      {"s3.eusc-de-east-1.amazonaws.eu", "aws-eusc"},
      {"s3.us-iso-east-1.c2s.ic.gov", "aws-iso"},
      {"s3.us-isob-east-1.sc2s.sgov.gov", "aws-iso-b"},
      {"s3.eu-isoe-west-1.cloud.adc-e.uk", "aws-iso-e"},
      {"s3.us-isof-south-1.csp.hci.ic.gov", "aws-iso-f"}};
  for (const auto& [host, partition] : hosts) {
    EXPECT_EQ(host_partition(host), partition) << host;
    const Partition* service = partition_of_service(host);
    ASSERT_NE(service, nullptr) << host;
    EXPECT_EQ(service->name, partition) << host;
    const std::string with_bucket = "my.data." + std::string(host);
    EXPECT_EQ(host_partition(with_bucket), partition) << with_bucket;
    EXPECT_EQ(partition_of_service(with_bucket), nullptr) << with_bucket;
  }
}

// In AWS's domains there are hosts of customers, and other hosts only look like AWS's.
TEST(Partition, NotOfSomebodyElsesHost) {
  for (const char* host : {"ec2-1-2-3-4.eu-west-1.compute.amazonaws.com",
                           "ec2-1-2-3-4.compute-1.amazonaws.com",
                           "s3-x-123.us-east-1.elb.amazonaws.com",
                           "s3.us-east-1.elb.amazonaws.com",
                           "abc.execute-api.us-east-1.amazonaws.com",
                           "data.s3-website-us-east-1.amazonaws.com",
                           "data.s3-website.eu-central-1.amazonaws.com",
                           "x.s3-object-lambda.us-east-1.amazonaws.com",
                           "vpce-1-2.vpce-svc-3.us-east-1.vpce.amazonaws.com",
                           "s3.amazonaws.com.example.com",
                           "s3.us-east-1.amazonaws.com.cn",
                           "notamazonaws.com",
                           "s3.notamazonaws.com",
                           "amazonaws.com",
                           ".amazonaws.com",
                           "s3..amazonaws.com",
                           "s3.dualstack.amazonaws.com",
                           "s3.eu-1.amazonaws.com",
                           "s3.eu-west-1",
                           "s3.example.com",
                           "",
                           "xs3.amazonaws.com",
                           "xs3.eu-west-1.amazonaws.com"}) {
    EXPECT_EQ(partition_of_host(host), nullptr) << host;
    EXPECT_EQ(partition_of_service(host), nullptr) << host;
  }
}

TEST(Partition, OfSettings) {
  const auto of = [](const char* region, const char* endpoint) {
    return partition_of({"data", region, endpoint});
  };
  EXPECT_EQ(of("eu-west-1", ""), "aws");
  EXPECT_EQ(of("cn-north-1", ""), "aws-cn");
  EXPECT_EQ(of("us-east-1", "https://s3.cn-north-1.amazonaws.com.cn"), "aws-cn");
  EXPECT_EQ(of("cn-north-1", "https://minio.example.com"), "");
}

TEST(Partition, HasItsDomain) {
  EXPECT_EQ(service_url({"data", "eusc-de-east-1", ""}).host, "s3.eusc-de-east-1.amazonaws.eu");
  EXPECT_EQ(service_url({"data", "us-isob-east-1", ""}).host, "s3.us-isob-east-1.sc2s.sgov.gov");
  EXPECT_EQ(service_url({"data", "us-gov-east-1", ""}).host, "s3.us-gov-east-1.amazonaws.com");
}

}  // namespace
}  // namespace hydra::s3
