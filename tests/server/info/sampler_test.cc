#include "server/info/sampler.h"

#include "server/roles/replication.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

TEST(RateTest, IsTheMeanOfTheLastSamples) {
  Rate rate;
  rate.Add(0, 0);
  for (int i = 1; i <= 16; ++i) rate.Add(i * 10, i * 100'000);
  EXPECT_EQ(rate.per_second(), 100);
  for (int i = 17; i <= 32; ++i) rate.Add(160, i * 100'000);
  EXPECT_EQ(rate.per_second(), 0);
}

TEST(RateTest, TheFirstSampleOnlyBegins) {
  Rate rate;
  rate.Add(1'000'000, 100);
  EXPECT_EQ(rate.per_second(), 0);
}

TEST(RateTest, ACounterThatWasSetBackIsNoNegativeRate) {
  Rate rate;
  rate.Add(100, 0);
  rate.Add(0, 100'000);
  EXPECT_EQ(rate.per_second(), 0);
}

class SamplerTest : public ServerTest {};

TEST_F(SamplerTest, CommandsPerSecondFollowTheCounters) {
  Sampler& sampler = server_.sampler();
  sampler.SampleRates(server_);
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 5; ++j) Run("PING");
    Advance(100);
    sampler.SampleRates(server_);
  }
  EXPECT_EQ(sampler.rates().commands, 50);
}

TEST_F(SamplerTest, BytesOfReplicationHaveRatesOfTheirOwn) {
  Sampler& sampler = server_.sampler();
  sampler.SampleRates(server_);
  for (int i = 0; i < 16; ++i) {
    server_.replication().CountSent(300);
    server_.replication().CountReceived(100);
    Advance(100);
    sampler.SampleRates(server_);
  }
  EXPECT_EQ(sampler.rates().repl_output_bytes, 3000);
  EXPECT_EQ(sampler.rates().repl_input_bytes, 1000);
  EXPECT_EQ(sampler.rates().output_bytes, 0);
}

TEST_F(SamplerTest, FiguresDescribeTheClientsAndTheKeys) {
  RunAs("s", "SUBSCRIBE a");
  RunAs("w", "WATCH a");
  Run("SET a 1 EX 100");
  server_.sampler().SampleFigures(server_);
  Sampler::Figures figures = server_.sampler().figures();
  EXPECT_EQ(figures.pubsub_clients, 1);
  EXPECT_EQ(figures.watching_clients, 1);
  EXPECT_GT(figures.client_bytes, 0);
  EXPECT_GT(figures.resident_bytes, 0);
  EXPECT_EQ(figures.mean_ttl_ms[0], 100'000);
  EXPECT_EQ(figures.mean_ttl_ms[1], 0);
}

TEST_F(SamplerTest, ThePeakStaysWhenMemoryIsFreed) {
  int64_t before = server_.sampler().PeakBytes();
  {
    std::string large(64 << 20, 'x');
    EXPECT_GE(server_.sampler().PeakBytes(), before + (60 << 20));
  }
  EXPECT_GE(server_.sampler().PeakBytes(), before + (60 << 20));
  server_.sampler().Reset();
  EXPECT_LT(server_.sampler().PeakBytes(), before + (60 << 20));
}

}  // namespace
}  // namespace cloakroom
