// The replies and pushes of a Connection, until its socket has them.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "server/log/log.h"
#include "server/net/connection.h"
#include "server/persistence/persistence.h"
#include "server/session/client_memory.h"

namespace cloakroom {
namespace {

/// After this many bytes the others have their turn: a fast reader of 30 MB would hold them up.
constexpr size_t kMaxSent = 256 * 1024;
/// A shorter push is copied, since a reference costs more.
constexpr size_t kCopiedPush = 512;

/// Cuts the spans to `room` bytes, and returns how many spans are left. While a reader keeps up,
/// one send takes everything that it is given.
size_t Shorten(std::span<std::string_view> spans, size_t room) {
  size_t count = 0;
  for (; count < spans.size() && room > 0; ++count) {
    spans[count] = spans[count].substr(0, room);
    room -= spans[count].size();
  }
  return count;
}

}  // namespace

void Connection::WatchRoom() {
  if (!open_) return;
  const bool sends = !unsent_.empty() && !HoldsReplies() && !stream_->sends_when_readable();
  const bool room = sends || stream_->receives_when_writable();
  if (loop_.poller().WatchRoom(*this, stream_->fd(), room)) return;
  LogWarning("Closing client {}: epoll_ctl: {}", client_->address.Text(), std::strerror(errno));
  Close();
}

bool Connection::SendReplies() {
  if (executing_) return false;
  if (replies_ == nullptr) return true;
  // Checked before anything is sent: all replies of a round count, however fast the client reads.
  const bool over = open_ && OverOutputLimit(counted_replies());
  if (over) NoteOverLimit();
  std::unique_ptr<OutputBuffer> output = std::move(replies_);
  if (open_ && (over || !Send(*output))) Close();
  loop_.GiveBack(std::move(output));
  return true;
}

void Connection::HoldReplies(int64_t offset) {
  if (offset <= durable_from_) [[likely]]
    return;
  durable_from_ = offset;
  if (HoldsReplies()) loop_.held().Add(shared_from_this(), offset);
}

bool Connection::HoldsReplies() const {
  return durable_from_ > loop_.server().persistence().journal().durable_offset();
}

void Connection::SendHeld() {
  if (!HoldsReplies()) Flush();
}

bool Connection::Send(OutputBuffer& output) {
  if (output.empty()) return true;
  if (unsent_.empty() && !HoldsReplies() && !SendNow(output)) return false;
  if (output.empty()) {
    if (pushes_.empty()) limit_watch_.Forget();
    return true;
  }
  output.MoveTo(unsent_);
  NoteBuffers();
  WatchRoom();
  if (!open_ || !OverOutputLimit()) return open_;
  NoteOverLimit();
  return false;
}

/// Sends as much as the stream takes, but not a huge reply at once. False when the stream is
/// broken.
bool Connection::SendNow(OutputBuffer& output) {
  for (size_t total = 0; !output.empty() && total < kMaxSent;) {
    const std::optional<size_t> sent = SendSome(output, kMaxSent - total);
    if (!sent) return false;
    if (*sent == 0) return true;
    output.Consume(*sent);
    total += *sent;
    client_->net_out += static_cast<int64_t>(*sent);
    ThreadStats& stats = loop_.executor().thread().stats;
    stats.net_output_bytes += static_cast<int64_t>(*sent);
    stats.writes += 1;
  }
  return true;
}

std::optional<size_t> Connection::SendSome(const OutputBuffer& output, size_t most) {
  if (const std::optional<std::string_view> whole = output.Whole()) {
    const std::string_view piece = whole->substr(0, most);
    return stream_->Send({&piece, 1});
  }
  std::array<std::string_view, SocketStream::kMaxSpans> spans;
  const size_t count = Shorten(std::span(spans).first(output.Gather(spans)), most);
  return stream_->Send(std::span(spans).first(count));
}

void Connection::Flush() {
  if (!open_ || HoldsReplies()) return WatchRoom();
  const size_t waiting = unsent_.size();
  if (!SendNow(unsent_)) return Close();
  // A client that reads a long reply is not idle.
  if (unsent_.size() < waiting) client_->last_ms = loop_.server().clock().NowMs();
  NoteBuffers();
  if (unsent_.empty()) {
    unsent_.Release();
    limit_watch_.Forget();
    if (lingering_ && !blocked_) EndWait();
  }
  if (unfinished_ && !Backlogged()) LineUp();
  WatchRoom();
  ReadOn();
}

void Connection::Push(Pushed pushed) {
  const bool here = loop_.OnThisThread();
  if (here && pushed.offset == nullptr && pushes_.empty() && !InMidstOfReply()) {
    if (pushed.wanted()) AppendPush(std::move(pushed.bytes));
    return;
  }
  const bool first = pushes_.Add(std::move(pushed));
  if (OverOutputLimit()) return CloseOverLimit();
  if (here) return HandOn();
  if (first) loop_.TellOfPush(weak_from_this());
}

void Connection::OffsetsAreKnown() {
  if (loop_.OnThisThread()) return HandOn();
  if (pushes_.Remind()) loop_.TellOfPush(weak_from_this());
}

/// During a script of this client the loop serves others, whose pushes must not land in its reply.
/// What its own FLUSHALL tells it goes behind the reply, which comes from long work. And the reply
/// of long work shows older data than a push that comes meanwhile: a client that caches it must
/// first get the reply, then the invalidation.
bool Connection::InMidstOfReply() const {
  const bool runs = executing_ && loop_.executing() == this;
  if (runs && loop_.executor().replies_later()) return true;
  return (executing_ && !runs) || conversation_.works();
}

void Connection::HandOn() {
  if (InMidstOfReply()) {
    pushed_meanwhile_ = true;
    return;
  }
  for (Pushed& pushed : pushes_.Take()) {
    if (!open_) return;
    if (!pushed.wanted()) continue;
    if (pushed.durable_from() > durable_from_) {
      // Earlier replies need not wait for the push.
      SendReplies();
      HoldReplies(pushed.durable_from());
    }
    AppendPush(std::move(pushed.bytes));
  }
}

void Connection::AppendPush(SharedBytes bytes) {
  if (!open_) return;
  // It goes with all that is sent at the end of the round.
  if (replies_ == nullptr) replies_ = loop_.TakeOutput(*this);
  if (bytes.bytes.size() < kCopiedPush) {
    replies_->Append(bytes.bytes);
  } else {
    replies_->Append(std::move(bytes));
  }
  if (OverOutputLimit(replies_->size())) CloseOverLimit();
}

const OutputLimit& Connection::output_limit() const {
  return loop_.server().settings().output_limit(client_->listens() ? ClientClass::kPubsub
                                                                   : ClientClass::kNormal);
}

size_t Connection::counted_replies() const {
  const size_t bytes = replies_ == nullptr ? 0 : replies_->size();
  return bytes > kUncountedReplies ? bytes : 0;
}

Conversation::Turn Connection::Turn() const {
  Conversation::Turn turn;
  const int64_t hard = output_limit().hard_bytes;
  if (hard == 0) return turn;
  const int64_t waiting = waiting_bytes() + static_cast<int64_t>(counted_replies());
  const int64_t room = std::max<int64_t>(hard - waiting, 0);
  turn.reply_bytes = std::min(turn.reply_bytes, static_cast<size_t>(room));
  return turn;
}

bool Connection::OverOutputLimit(size_t more) {
  return limit_watch_.Over(output_limit(), waiting_bytes() + static_cast<int64_t>(more),
                           loop_.server().clock());
}

void Connection::CloseOverLimit() {
  if (!pushes_.Close()) return;
  client_->killed = true;
  loop_.Post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (self == nullptr || !self->open_) return;
    self->NoteOverLimit();
    self->Close();
  });
}

void Connection::NoteOverLimit() {
  loop_.executor().thread().stats.output_limit_disconnections += 1;
  LogWarning("Client {} closed for overcoming of output buffer limits.", client_->address.Text());
}

void Connection::NoteBuffers() {
  client_->query_bytes = static_cast<int64_t>(kept_.size());
  client_->query_capacity = static_cast<int64_t>(kept_.capacity());
  client_->output_bytes = static_cast<int64_t>(unsent_.size());
  client_->output_memory = static_cast<int64_t>(unsent_.owned_bytes());
  if (open_) loop_.server().client_memory().Note(*client_);
}

}  // namespace cloakroom
