// Whatever a primary sends, however it is cut: the link asks for the same actions, and passes the
// same bytes on. With odd seeds the conversation begins behind the handshake's replies.

#include <optional>
#include <string>
#include <vector>

#include "replication/link/primary_link.h"
#include "replication/link/sync_receiver.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

using BytesTo = PrimaryLink::BytesTo;

class Conversation {
 public:
  explicit Conversation(uint8_t seed)
      : link_({.user = seed & 2 ? "user" : "", .password = seed & 4 ? "password" : ""}) {
    std::optional<HistoryPoint> cached;
    if (seed & 8) cached = HistoryPoint{ReplicationId(), 10};
    Do(link_.Start({"host", 1}, cached, seed & 16, 1000));
    Do(link_.Resolved(1, absl::OkStatus(), 1000));
    Do(link_.Connected(1, absl::OkStatus(), 1000));
    if (seed & 1) Read("+PONG\r\n+OK\r\n+OK\r\n");
    if (seed & 1 && seed & 4) Read("+OK\r\n");
  }

  void Read(std::string_view bytes) {
    while (!closed_ && !bytes.empty() && link_.bytes_to() != BytesTo::kNobody) Pass(bytes);
    // As if the load ended as soon as the transfer has.
    if (link_.state() == PrimaryLink::State::kLoading) {
      Do(link_.LoadDone(1000));
      return Read(bytes);
    }
    fuzz::Check(closed_ || bytes.empty());
  }

  bool operator==(const Conversation& other) const {
    return actions_ == other.actions_ && data_.text() == other.data_.text() &&
           stream_ == other.stream_ && link_.state() == other.link_.state();
  }

 private:
  void Pass(std::string_view& bytes) {
    const size_t before = bytes.size();
    if (link_.bytes_to() == BytesTo::kLink) {
      Do(link_.Receive(bytes, 1000));
    } else if (link_.bytes_to() == BytesTo::kReceiver) {
      const size_t taken = receiver_->Receive(bytes);
      bytes.remove_prefix(taken);
      Do(link_.TransferReceived(taken, receiver_->done(), 1000));
    } else {
      stream_ += bytes;
      bytes = {};
    }
    fuzz::Check(closed_ || bytes.size() < before);
  }

  void Do(const PrimaryLinkActions& actions) {
    for (const PrimaryLinkAction& action : actions) {
      if (const auto* open = std::get_if<link_action::OpenReceiver>(&action)) {
        receiver_.emplace(open->size, data_);
      }
      closed_ |= std::holds_alternative<link_action::Close>(action);
      actions_.push_back(action);
    }
  }

  PrimaryLink link_;
  std::optional<SyncReceiver> receiver_;
  StringSink data_;
  std::string stream_;
  bool closed_ = false;
  PrimaryLinkActions actions_;
};

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  Conversation whole(data[1]);
  whole.Read(bytes);
  Conversation cut(data[1]);
  for (fuzz::Pieces pieces(bytes, data[0]); !pieces.empty();) cut.Read(pieces.Next());
  fuzz::Check(cut == whole);
  return 0;
}
