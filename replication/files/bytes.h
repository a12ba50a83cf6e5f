#ifndef CLOAKROOM_REPLICATION_FILES_BYTES_H_
#define CLOAKROOM_REPLICATION_FILES_BYTES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace cloakroom {

/// Where an encoder's bytes go. It never fails at the call: whoever owns the sink asks it in the
/// end whether all went well, and an encoder need not look after every byte.
/// Thread rule: one thread at a time.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// `bytes` are the caller's again when it returns.
  virtual void Append(std::string_view bytes) = 0;
  /// What has gone wrong so far. After an error bytes are dropped, so that whoever makes many may
  /// end before its time.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

/// Where a decoder's bytes come from, in order.
/// Thread rule: one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads at least one byte and at most into.size(). 0: the end, or an error, which the owner of
  /// the source asks it for.
  virtual size_t Read(std::span<char> into) = 0;
};

/// A sink that keeps everything.
class StringSink final : public ByteSink {
 public:
  void Append(std::string_view bytes) override { text_.append(bytes); }
  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

/// A source that gives what lies in memory, which must outlive it.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string_view text) : rest_(text) {}
  size_t Read(std::span<char> into) override {
    size_t n = rest_.copy(into.data(), into.size());
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_BYTES_H_
