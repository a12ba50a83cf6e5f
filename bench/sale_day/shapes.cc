#include "bench/sale_day/shapes.h"

#include <random>
#include <string_view>
#include <vector>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

namespace {

constexpr size_t kItemsBatch = 200;
constexpr size_t kValueBytes = 1024;

/// Values with half of their bytes random and half repeated, as in serialized sessions. Cutting the
/// random half from a pool costs a copy, but no random numbers.
class Values {
 public:
  Values() {
    std::mt19937_64 random(7);
    for (char& c : noise_) c = static_cast<char>(random());
    while (text_.size() < kValueBytes / 2) text_ += "s:9:\"last_seen\";i:1795457302;";
    text_.resize(kValueBytes / 2);
  }

  std::string_view At(int64_t n) {
    const size_t at = static_cast<size_t>(n) * 7919 % (noise_.size() - kValueBytes / 2);
    value_.assign(noise_, at, kValueBytes / 2);
    value_ += text_;
    return value_;
  }

 private:
  std::string noise_ = std::string(1 << 20, '\0');
  std::string text_;
  std::string value_;
};

std::string Name(const std::string& prefix, int64_t n) {
  return prefix + std::to_string(1'000'000'000 + n);
}

class Strings final : public Shape {
 public:
  size_t AppendItem(std::string& out, int64_t n) override {
    AppendWrite(out, n, n);
    return 1;
  }
  void AppendWrite(std::string& out, int64_t n, int64_t other) override {
    AppendRequest(out, {"SET", Key(n), values_.At(other)});
  }
  void AppendRead(std::string& out, int64_t n) const override {
    AppendRequest(out, {"GET", Key(n)});
  }

 private:
  static std::string Key(int64_t n) { return Name("product_", n); }

  Values values_;
};

class Sessions final : public Shape {
 public:
  size_t AppendItem(std::string& out, int64_t n) override {
    AppendRequest(out, {"HSET", Key(n), "pid", "web1|5042", "lock", "0", "req", "GET /checkout/",
                        "writes", "7", "wait", "0", "data", values_.At(n)});
    AppendRequest(out, {"EXPIRE", Key(n), "86400"});
    return 2;
  }
  void AppendWrite(std::string& out, int64_t n, int64_t other) override {
    AppendRequest(out, {"HSET", Key(n), "lock", "0", "data", values_.At(other)});
  }
  void AppendRead(std::string& out, int64_t n) const override {
    AppendRequest(out, {"HGET", Key(n), "data"});
  }

 private:
  static std::string Key(int64_t n) { return Name("sess_", n); }

  Values values_;
};

/// All items are members of one set. Writes alternately remove a member and add a new one: the set
/// keeps its size, and every write changes it.
class OneSet final : public Shape {
 public:
  size_t AppendItem(std::string& out, int64_t n) override {
    members_.push_back(n);
    AppendRequest(out, {"SADD", kKey, Member(n)});
    return 1;
  }
  void AppendWrite(std::string& out, int64_t n, int64_t) override {
    if (removed_ == nullptr) {
      removed_ = &members_[static_cast<size_t>(n)];
      AppendRequest(out, {"SREM", kKey, Member(*removed_)});
      return;
    }
    *removed_ = static_cast<int64_t>(members_.size()) + added_++;
    AppendRequest(out, {"SADD", kKey, Member(*removed_)});
    removed_ = nullptr;
  }
  void AppendRead(std::string& out, int64_t n) const override {
    AppendRequest(out, {"SISMEMBER", kKey, Member(n)});
  }

 private:
  static constexpr std::string_view kKey = "members";
  static std::string Member(int64_t n) { return Name("member_", n); }

  std::vector<int64_t> members_;
  int64_t* removed_ = nullptr;  // the place of the removed member, for the next one
  int64_t added_ = 0;
};

}  // namespace

std::unique_ptr<Shape> MakeShape(const std::string& name) {
  if (name == "string") return std::make_unique<Strings>();
  if (name == "session") return std::make_unique<Sessions>();
  if (name == "set") return std::make_unique<OneSet>();
  Fail("no such shape: " + name);
}

void Fill(Wire& wire, Shape& shape, int64_t items) {
  std::string batch;
  size_t replies = 0;
  for (int64_t n = 0; n < items; ++n) {
    replies += shape.AppendItem(batch, n);
    if (replies < kItemsBatch && n + 1 < items) continue;
    wire.Send(batch);
    wire.Await(replies);
    batch.clear();
    replies = 0;
  }
}

}  // namespace cloakroom::bench
