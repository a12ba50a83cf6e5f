#include "bench/sale_day/two_clients.h"

#include <random>
#include <string_view>
#include <utility>

#include "bench/sale_day/probe.h"

namespace cloakroom::bench {

namespace {

/// A probe's requests: calls `append` for items drawn at random.
Probe::Requests AtRandom(int64_t items, uint32_t seed,
                         std::function<void(std::string&, int64_t, int64_t)> append) {
  return [append = std::move(append), random = std::mt19937_64(seed),
          any = std::uniform_int_distribution<int64_t>(0, items - 1),
          request = std::string()]() mutable -> std::string_view {
    request.clear();
    append(request, any(random), any(random));
    return request;
  };
}

void AddFigures(Figures& figures, const std::string& prefix, Latencies latencies) {
  Figures own;
  latencies.Report(own);
  for (const auto& [name, value] : own) figures[prefix + name] = value;
}

}  // namespace

void Watched(const TwoClients& clients, Shape& shape, const std::string& prefix, Figures& figures,
             const std::function<void()>& work) {
  Probe writer(clients.port, clients.pause_us,
               AtRandom(clients.items, 1, [&](std::string& out, int64_t n, int64_t other) {
                 shape.AppendWrite(out, n, other);
               }));
  Probe reader(clients.port, clients.pause_us,
               AtRandom(clients.items, 2,
                        [&](std::string& out, int64_t n, int64_t) { shape.AppendRead(out, n); }));
  work();
  AddFigures(figures, "write_" + prefix, writer.Stop());
  AddFigures(figures, "read_" + prefix, reader.Stop());
}

void AddRatiosToQuiet(Figures& figures) {
  for (const std::string client : {"write_", "read_"})
    figures[client + "p999_ratio"] =
        figures[client + "p999_us"] / figures[client + "quiet_p999_us"];
}

}  // namespace cloakroom::bench
