#ifndef CLOAKROOM_BENCH_SALE_DAY_SHAPES_H_
#define CLOAKROOM_BENCH_SALE_DAY_SHAPES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

/// The commands for one shape of data. One thread fills and then writes; another may read.
class Shape {
 public:
  virtual ~Shape() = default;
  /// Appends the commands that store item n for the first time; returns their number.
  virtual size_t AppendItem(std::string& out, int64_t n) = 0;
  /// Appends one command that changes item n, for instance to the first value of item `other`.
  virtual void AppendWrite(std::string& out, int64_t n, int64_t other) = 0;
  virtual void AppendRead(std::string& out, int64_t n) const = 0;
};

/// `string`: 1 KB values; `session`: hashes of five short fields and 1 KB, with an expiry; half of
/// a value's bytes compress. `set`: the members of one set.
std::unique_ptr<Shape> MakeShape(const std::string& name);

/// Stores `items` items, in pipelines.
void Fill(Wire& wire, Shape& shape, int64_t items);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_SHAPES_H_
