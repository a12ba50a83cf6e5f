#include "server/net/spool_reader.h"

#include <span>

namespace cloakroom {

absl::StatusOr<std::string_view> SpoolReader::Peek(const std::shared_ptr<Spool>& spool,
                                                   int64_t place) {
  if (read_ != nullptr && !read_->done.load(std::memory_order_acquire)) return std::string_view();
  if (read_ != nullptr && read_->spool == spool) {
    if (!read_->status.ok()) return read_->status;
    const int64_t end = read_->place + static_cast<int64_t>(read_->bytes.size());
    if (place >= read_->place && place < end) {
      return std::string_view(read_->bytes).substr(static_cast<size_t>(place - read_->place));
    }
  }
  Begin(spool, place);
  return std::string_view();
}

void SpoolReader::Begin(const std::shared_ptr<Spool>& spool, int64_t place) {
  read_ = std::make_shared<Read>();
  read_->spool = spool;
  read_->place = place;
  on_disk_thread_([read = read_, done = done_] {
    read->bytes.resize(kReadBytes);
    const absl::StatusOr<size_t> size = read->spool->Read(read->place, std::span(read->bytes));
    read->status = size.status();
    read->bytes.resize(size.value_or(0));
    if (size.ok() && *size == 0) read->status = absl::DataLossError("a spool has lost its end");
    read->done.store(true, std::memory_order_release);
    done();
  });
}

}  // namespace cloakroom
