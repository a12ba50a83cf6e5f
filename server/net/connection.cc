#include "server/net/connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "server/context/pause.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/session/client_memory.h"

namespace cloakroom {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

/// The least room for the rest of an incomplete request.
constexpr size_t kMinRoom = 16 * 1024;
/// The most room at a time for a big argument: a length alone must not allocate 512 MB.
constexpr size_t kMaxRoom = 1024 * 1024;
/// A longer time limit is as good as none, and may be more than the clock can count.
constexpr int64_t kLongestMs = int64_t{100} * 365 * 24 * 3600 * 1000;

auto Use(error_code& error) {
  return asio::redirect_error(asio::use_awaitable_t<Connection::Executor>(), error);
}

}  // namespace

Connection::Connection(EventLoop& loop, std::unique_ptr<SocketStream> stream,
                       std::shared_ptr<Client> client)
    : loop_(loop),
      stream_(std::move(stream)),
      wake_(loop.context().get_executor(), Steady::time_point::max()),
      wait_ends_(loop.timers(), [this] { EndWait(); }),
      client_(std::move(client)),
      conversation_(loop.executor(), client_),
      pushes_(client_->pushed_bytes) {}

Connection::~Connection() = default;

void Connection::Start() {
  loop_.Add(shared_from_this());
  if (loop_.poller().Watch(*this, stream_->fd())) return;
  LogWarning("Closing client {}: epoll_ctl: {}", client_->address.Text(), std::strerror(errno));
  Close();
}

void Connection::OnReady(const Poller::Ready& ready) {
  if (ready.hung_up) {
    hung_up_ = true;
    if (hears_hang_up_) return Close();
  }
  readable_ |= ready.readable || ready.hung_up;
  readable_ |= ready.writable && stream_->receives_when_writable();
  if (ready.writable || (ready.readable && stream_->sends_when_readable())) Flush();
  ReadOn();
}

void Connection::ReadOn() {
  if (readable_ && MayRead() && !std::exchange(in_round_, true)) loop_.round().Add(*this);
}

std::span<char> Connection::Receive(std::span<char> room) {
  in_round_ = false;
  if (!MayRead()) return {};
  std::span<char> into = room;
  if (!kept_.empty())
    into = kept_.Room(std::clamp(conversation_.bytes_wanted(), kMinRoom, kMaxRoom));
  const std::optional<SocketStream::Received> received = stream_->Receive(into);
  if (!received) {
    Close();
    return {};
  }
  // The poller reports nothing after a hang-up, so everything is read to the end.
  readable_ = received->more || (hung_up_ && received->bytes > 0);
  if (stream_->receives_when_writable()) WatchRoom();
  if (received->bytes == 0) {
    ReadOn();
    return {};
  }
  client_->net_in += static_cast<int64_t>(received->bytes);
  loop_.executor().thread().stats.net_input_bytes += static_cast<int64_t>(received->bytes);
  received_ = true;
  if (kept_.empty()) return into.first(received->bytes);
  kept_.Commit(received->bytes);
  return kept_.bytes();
}

void Connection::Begin(std::span<char> bytes, Batch& batch) {
  if (open_) conversation_.Begin(bytes, batch);
}

void Connection::Execute(std::span<char> bytes) {
  received_ = false;
  if (!open_) return;
  Conversation::Next next;
  if (!Process(bytes, &next)) return Close();
  Proceed(next);
  ReadOn();
}

void Connection::TakeTurn() {
  in_line_ = false;
  // Flush lines it up again.
  if (!open_ || Backlogged()) return;
  unfinished_ = false;
  Conversation::Next next;
  if (!Process(kept_.bytes(), &next)) return Close();
  Proceed(next);
  ReadOn();
}

void Connection::LineUp() {
  unfinished_ = true;
  if (!std::exchange(in_line_, true)) loop_.LineUp(shared_from_this());
}

void Connection::Proceed(Conversation::Next next) {
  const bool waits = next != Conversation::Next::kRead && next != Conversation::Next::kTurn;
  if (next == Conversation::Next::kTurn) LineUp();
  if (!waits && replies_ != nullptr && replies_->size() < kManyReplies) return;
  if (next == Conversation::Next::kHandOver) return HandOver();
  SendReplies();
  if (!waits || !open_) return;
  lingering_ = true;
  if (next == Conversation::Next::kBlocked) return BeginBlocked();
  asio::co_spawn(
      loop_.context().get_executor(),
      [self = shared_from_this(), next]() -> Awaitable<void> { co_await self->Linger(next); },
      asio::detached);
  loop_.ServeAsio();
}

Connection::Awaitable<void> Connection::Linger(Conversation::Next next) {
  while (open_ && next != Conversation::Next::kRead && next != Conversation::Next::kTurn &&
         next != Conversation::Next::kBlocked && next != Conversation::Next::kHandOver) {
    if (next == Conversation::Next::kClose) {
      if (unsent_.empty()) break;
      // Flush wakes it.
      co_await WaitUntil(Steady::time_point::max());
      continue;
    }
    if (next == Conversation::Next::kLongWork) {
      if (!co_await WaitForLongWork(&next)) break;
    } else {
      if (!co_await Wait(next)) break;
      Answer([&](OutputBuffer& output) { next = conversation_.Resume(output); });
    }
    if (next == Conversation::Next::kRead) next = ProcessKept();
    loop_.SendReplies();
  }
  if (open_ && next == Conversation::Next::kBlocked) co_return BeginBlocked();
  lingering_ = false;
  if (next == Conversation::Next::kHandOver) {
    if (open_) HandOver();
  } else if (next == Conversation::Next::kTurn) {
    LineUp();
  } else if (next != Conversation::Next::kRead) {
    co_return Close();
  }
  ReadOn();
}

Conversation::Next Connection::ProcessKept() {
  if (kept_.empty()) return Conversation::Next::kRead;
  if (Backlogged()) return Conversation::Next::kTurn;
  Conversation::Next next;
  if (Process(kept_.bytes(), &next)) return next;
  Close();
  return Conversation::Next::kClose;
}

template <typename Execution>
void Connection::Answer(const Execution& execution) {
  if (replies_ == nullptr) replies_ = loop_.TakeOutput(*this);
  ThreadContext& thread = loop_.executor().thread();
  ChangeJournal::Scope request(loop_.server().persistence().journal(), thread.holds, this,
                               durable_from_);
  ChangeJournal::Scope* const outer_request = std::exchange(thread.journal_scope, &request);
  executing_ = true;
  Connection* const outer = loop_.ExchangeExecuting(this);
  execution(*replies_);
  loop_.ExchangeExecuting(outer);
  executing_ = false;
  thread.journal_scope = outer_request;
  HoldReplies(request.offset());
  request.End();
  if (std::exchange(pushed_meanwhile_, false)) HandOn();
}

/// Executes the requests in `bytes` and keeps the rest. False when the connection is to be closed.
bool Connection::Process(std::span<char> bytes, Conversation::Next* next) {
  bool from_kept = !kept_.empty();
  loop_.executor().thread().stats.reads += 1;
  client_->query_bytes = static_cast<int64_t>(bytes.size());
  // What others pushed before this request was sent goes before its reply.
  if (!pushes_.empty()) [[unlikely]]
    HandOn();
  if (!open_) return false;
  Answer([&](OutputBuffer& output) { *next = conversation_.Consume(bytes, output, Turn()); });
  std::span<char> rest = bytes.subspan(conversation_.consumed());
  if (from_kept) {
    kept_.DropFront(conversation_.consumed());
  } else if (!rest.empty()) {
    kept_.Append({rest.data(), rest.size()});
  }
  NoteBuffers();
  int64_t limit = loop_.server().settings().client_query_buffer_limit_bytes;
  if (static_cast<int64_t>(kept_.size()) + client_->queued_bytes > limit) {
    SendReplies();
    loop_.executor().thread().stats.query_limit_disconnections += 1;
    LogWarning("Closing client {} that reached max query buffer length", client_->address.Text());
    return false;
  }
  return true;
}

Connection::Awaitable<bool> Connection::Wait(Conversation::Next next) {
  switch (next) {
    case Conversation::Next::kGate:
      conversation_.gate()->WhenOpen(conversation_.wish(), Waker());
      while (open_ && !woken_) co_await WaitUntil(Steady::time_point::max());
      co_return open_;
    case Conversation::Next::kSoon:
      co_await WaitUntil(Steady::now() + conversation_.soon());
      co_return open_;
    case Conversation::Next::kPause:
      co_await WaitForPause();
      co_return open_;
    default:
      co_return open_;
  }
}

void Connection::HearHangUp() {
  hears_hang_up_ = true;
  if (hung_up_) Close();
}

Connection::Awaitable<void> Connection::WaitForPause() {
  const Pause::Waiter waiter = loop_.server().pause().WhenEnded(Waker());
  HearHangUp();
  int64_t left_ms = conversation_.pause_until_ms() - loop_.server().clock().NowMs();
  auto until = Steady::now() + std::chrono::milliseconds(std::max<int64_t>(left_ms, 1));
  while (open_ && !woken_ && Steady::now() < until) co_await WaitUntil(until);
  hears_hang_up_ = false;
  loop_.server().pause().Forget(waiter);
}

void Connection::BeginBlocked() {
  BlockedRequest& request = *conversation_.blocked();
  blocked_ = true;
  if (const int64_t limit_ms = request.time_limit_ms(); limit_ms > 0)
    wait_ends_.Set(Steady::now() + std::chrono::milliseconds(std::min(limit_ms, kLongestMs)));
  // Behind this, others may settle it at any moment.
  request.WhenSettled(Waker());
  HearHangUp();
}

void Connection::CheckBlocked() {
  // Its timer: if it is being settled already, whoever does that will wake this connection.
  if (open_ && !woken_) return void(conversation_.blocked()->TimeOut());
  blocked_ = hears_hang_up_ = false;
  wait_ends_.Cancel();
  Conversation::Next next = Conversation::Next::kClose;
  if (open_) {
    HoldReplies(conversation_.blocked()->durable_from());
    Answer([&](OutputBuffer& output) { next = conversation_.FinishBlocked(output); });
  }
  if (open_ && next == Conversation::Next::kRead) next = ProcessKept();
  lingering_ = false;
  if (!open_) return;
  loop_.SendReplies();
  Proceed(next);
  ReadOn();
}

Connection::Awaitable<bool> Connection::WaitForLongWork(Conversation::Next* next) {
  Server& server = loop_.server();
  // Shared, because it may outlive the connection.
  auto work = std::make_shared<LongWork>(
      conversation_.TakeLongWork(), server.workers(), server.running_scripts(),
      server.keyspace().background_slot(), client_->resp, Waker());
  work->Start();
  while (open_ && !woken_) co_await WaitUntil(Steady::time_point::max());
  if (open_) {
    HoldReplies(work->durable_from());
    Answer([&](OutputBuffer& output) { *next = conversation_.FinishLongWork(*work, output); });
  }
  // Freed on a worker, since it may be large.
  server.workers().Post([work = std::move(work)] {});
  co_return open_;
}

Connection::Awaitable<void> Connection::WaitUntil(Steady::time_point until) {
  error_code ignored;
  if (until != Steady::time_point::max()) wait_ends_.Set(until);
  co_await wake_.async_wait(Use(ignored));
  wait_ends_.Cancel();
}

void Connection::EndWait() {
  if (blocked_) return CheckBlocked();
  wake_.cancel();
  loop_.ServeAsio();
}

void Connection::Wake(uint64_t wait) {
  if (wait != wait_) return;
  woken_ = true;
  EndWait();
}

std::function<void()> Connection::Waker() {
  woken_ = false;
  return [weak = weak_from_this(), &loop = loop_, wait = ++wait_] {
    loop.Post([weak, wait] {
      if (auto self = weak.lock()) self->Wake(wait);
    });
  };
}

void Connection::Kill() {
  client_->killed = true;
  loop_.Post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Close();
  });
}

/// Whether `timeout` leaves the client alone: it waits for others, or holds a session.
bool Connection::StaysIdle() {
  if (client_->subscribed() || client_->monitor || client_->blocked) return true;
  if (!client_->held_sessions.empty()) loop_.executor().PruneHeldSessions(*client_);
  return !client_->held_sessions.empty();
}

void Connection::CheckLimits(int64_t now_ms) {
  // For an idle one, when the limit was set behind its last request.
  loop_.server().client_memory().Note(*client_);
  int64_t timeout_s = loop_.server().settings().timeout_s;
  const bool idle = timeout_s > 0 && now_ms - client_->last_ms > timeout_s * 1000;
  if (idle && !StaysIdle()) {
    LogVerbose("Closing idle client {}", client_->address.Text());
    return Close();
  }
  if (unsent_.empty() && pushes_.empty() && counted_replies() == 0) return;
  if (!OverOutputLimit(counted_replies())) return;
  NoteOverLimit();
  Close();
}

void Connection::HandOver() {
  const auto take = std::exchange(client_->hand_over, nullptr);
  client_->close_after_reply = false;
  if (!unsent_.empty() || (replies_ != nullptr && replies_->size() > 0)) {
    Answer([&](OutputBuffer& output) {
      ReplyWriter(output, client_->resp)
          .Error("ERR SYNC and PSYNC are invalid with pending output");
    });
    SendReplies();
    if (open_ && !kept_.empty()) LineUp();
    return;
  }
  SendReplies();  // gives the empty buffer back
  open_ = false;
  pushes_.Close();
  loop_.server().Disconnected(*client_, this);
  loop_.poller().Forget(*this, stream_->fd());
  const std::span<char> rest = kept_.bytes();
  loop_.Remove(*this);
  take(std::move(stream_), std::string(rest.data(), rest.size()));
}

void Connection::Close() {
  if (!open_) return;
  open_ = false;
  pushes_.Close();
  conversation_.Abandon();
  loop_.server().Disconnected(*client_, this);
  loop_.poller().Closing(*this);
  stream_->Close();
  if (lingering_) EndWait();
  loop_.Remove(*this);
}

}  // namespace cloakroom
