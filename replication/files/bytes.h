#ifndef CLOAKROOM_REPLICATION_FILES_BYTES_H_
#define CLOAKROOM_REPLICATION_FILES_BYTES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace cloakroom {

/// Takes an encoder's bytes. Append never fails: the sink's owner asks at the end whether all went
/// well, so an encoder need not check after every byte. Thread rule: one thread at a time.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// `bytes` need not outlive the call.
  virtual void Append(std::string_view bytes) = 0;
  /// The first error so far. After an error bytes are dropped, so that a caller that makes many may
  /// stop early.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

/// Gives a decoder its bytes, in order. Thread rule: one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads at least one byte and at most into.size(). 0: the end, or an error, for which the owner
  /// asks the source.
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

/// A source that reads memory, which must outlive it.
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
