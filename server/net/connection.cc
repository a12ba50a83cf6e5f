#include "server/net/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "server/log/log.h"

namespace cloakroom {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

/// Spans of one gathered write.
constexpr size_t kMaxSpans = 64;
/// At least so much room for the rest of a request that is under way.
constexpr size_t kMinRoom = 16 * 1024;
/// At most so much at a time for a big argument: a length alone must not allocate 512 MB.
constexpr size_t kMaxRoom = 1024 * 1024;

auto Use(error_code& error) {
  return asio::redirect_error(asio::use_awaitable_t<Connection::Executor>(), error);
}

}  // namespace

Connection::Connection(EventLoop& loop, Socket socket, std::shared_ptr<Client> client)
    : loop_(loop),
      socket_(std::move(socket)),
      wake_(loop.context().get_executor()),
      client_(std::move(client)),
      session_(loop.executor(), client_) {}

Connection::~Connection() = default;

void Connection::Start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  loop_.Add(shared_from_this());
  asio::co_spawn(
      loop_.context().get_executor(),
      [self = shared_from_this()]() -> Awaitable<void> {
        co_await self->Serve();
        self->Close();
      },
      asio::detached);
}

Connection::Awaitable<void> Connection::Serve() {
  while (open_) {
    while (open_ && unsent_.owned_bytes() > kMaxUnsent)
      co_await WaitUntil(Steady::time_point::max());
    if (!open_) co_return;
    std::span<char> bytes = co_await Read();
    if (bytes.empty()) co_return;
    Session::Next next;
    bool alive = Process(bytes, &next);
    while (alive && next != Session::Next::kRead && next != Session::Next::kClose) {
      alive = co_await Wait(next);
      if (!alive) co_return;
      OutputBuffer& output = loop_.output();
      replies_ = &output;
      next = next == Session::Next::kWork ? Session::Next::kRead : session_.Resume(output);
      replies_ = nullptr;
      alive = Send(output);
      // What came with the request that waited.
      if (alive && next == Session::Next::kRead && !kept_.empty()) {
        alive = Process(kept_.bytes(), &next);
      }
    }
    if (!alive) co_return;
    if (next == Session::Next::kClose) {
      while (open_ && !unsent_.empty()) co_await WaitUntil(Steady::time_point::max());
      co_return;
    }
  }
}

/// The next bytes of the client, behind those that are kept; none at the connection's end.
Connection::Awaitable<std::span<char>> Connection::Read() {
  // The rest of a request that is under way may be there already.
  bool ready = !kept_.empty();
  while (open_) {
    error_code error;
    if (!ready) co_await socket_.async_wait(Socket::wait_read, Use(error));
    if (error || !open_) break;
    std::span<char> into(loop_.read_buffer());
    if (!kept_.empty()) into = kept_.Room(std::clamp(session_.bytes_wanted(), kMinRoom, kMaxRoom));
    size_t n = socket_.read_some(asio::buffer(into.data(), into.size()), error);
    ready = false;
    if (error == asio::error::would_block) continue;
    if (error) break;
    client_->net_in += static_cast<int64_t>(n);
    loop_.executor().thread().stats.net_input_bytes += static_cast<int64_t>(n);
    if (kept_.empty()) co_return into.first(n);
    kept_.Commit(n);
    co_return kept_.bytes();
  }
  co_return std::span<char>();
}

/// Executes what is in `bytes` and keeps the rest. False when the connection is to be closed.
bool Connection::Process(std::span<char> bytes, Session::Next* next) {
  bool from_kept = !kept_.empty();
  loop_.executor().thread().stats.reads += 1;
  client_->query_bytes = static_cast<int64_t>(bytes.size());
  OutputBuffer& output = loop_.output();
  replies_ = &output;
  *next = session_.Consume(bytes, output);
  replies_ = nullptr;
  std::span<char> rest = bytes.subspan(session_.consumed());
  if (from_kept) {
    kept_.DropFront(session_.consumed());
  } else if (!rest.empty()) {
    kept_.Append({rest.data(), rest.size()});
  }
  NoteBuffers();
  if (!Send(output)) return false;
  int64_t limit = loop_.server().settings().client_query_buffer_limit_bytes;
  if (static_cast<int64_t>(kept_.size()) > limit) {
    loop_.executor().thread().stats.query_limit_disconnections += 1;
    LogWarning("Closing client {} that reached max query buffer length", client_->address);
    return false;
  }
  return true;
}

Connection::Awaitable<bool> Connection::Wait(Session::Next next) {
  switch (next) {
    case Session::Next::kGate:
      woken_ = false;
      session_.gate()->WhenOpen(session_.queued(), Waker());
      while (open_ && !woken_) co_await WaitUntil(Steady::time_point::max());
      co_return open_;
    case Session::Next::kPause: {
      woken_ = false;
      loop_.server().pause().WhenEnded(Waker());
      int64_t left_ms = session_.pause_until_ms() - loop_.server().clock().NowMs();
      auto until = Steady::now() + std::chrono::milliseconds(std::max<int64_t>(left_ms, 1));
      while (open_ && !woken_ && Steady::now() < until) co_await WaitUntil(until);
      co_return open_;
    }
    case Session::Next::kWork:
      co_return co_await WaitForWork();
    default:
      co_return open_;
  }
}

Connection::Awaitable<bool> Connection::WaitForWork() {
  struct Done {
    OutputBuffer replies;
    std::string error_code;
  };
  // Shared: the worker may outlive the connection.
  auto done = std::make_shared<Done>();
  woken_ = false;
  loop_.server().workers().Post(
      [work = session_.TakeWork(), done, resp = static_cast<int>(client_->resp),
       slot = loop_.server().keyspace().background_slot(), wake = Waker()] {
        ReplyWriter reply(done->replies, resp);
        LongWork context(reply, slot, /*pass=*/true);
        work(context);
        done->error_code = context.error_code();
        wake();
      });
  while (open_ && !woken_) co_await WaitUntil(Steady::time_point::max());
  if (!open_) co_return false;
  session_.FinishWork(done->replies, done->error_code, loop_.output());
  co_return true;
}

Connection::Awaitable<void> Connection::WaitUntil(Steady::time_point until) {
  error_code ignored;
  wake_.expires_at(until);
  co_await wake_.async_wait(Use(ignored));
}

void Connection::Wake() {
  woken_ = true;
  wake_.cancel();
}

std::function<void()> Connection::Waker() {
  return [weak = weak_from_this(), &context = loop_.context()] {
    asio::post(context, [weak] {
      if (auto self = weak.lock()) self->Wake();
    });
  };
}

void Connection::HoldReplies() {
  ChangeJournal& journal = loop_.server().persistence().journal();
  const int64_t offset = journal.TakeUnacknowledged();
  if (offset <= journal.durable_offset()) [[likely]]
    return;
  durable_from_ = offset;
  static_cast<void>(
      journal.WhenDurable(offset, [weak = weak_from_this(), &context = loop_.context()] {
        asio::post(context, [weak] {
          auto self = weak.lock();
          if (self && self->open_ && !self->HoldsReplies()) self->StartWriting();
        });
      }));
}

bool Connection::HoldsReplies() const {
  return durable_from_ > loop_.server().persistence().journal().durable_offset();
}

bool Connection::Send(OutputBuffer& output) {
  HoldReplies();
  if (output.empty()) return open_;
  if (!unsent_.empty() || HoldsReplies()) {
    output.MoveTo(unsent_);
  } else if (!SendNow(output)) {
    output.Clear();
    return false;
  } else if (!output.empty()) {
    output.MoveTo(unsent_);
    StartWriting();
  }
  output.Clear();
  NoteBuffers();
  if (unsent_.empty() || !OverOutputLimit(client_->last_ms)) return open_;
  return false;
}

/// Sends as much as the socket takes. False when it is broken.
bool Connection::SendNow(OutputBuffer& output) {
  while (!output.empty()) {
    std::array<std::string_view, kMaxSpans> spans;
    std::array<asio::const_buffer, kMaxSpans> buffers;
    size_t count = output.Gather(spans);
    for (size_t i = 0; i < count; ++i) buffers[i] = asio::buffer(spans[i].data(), spans[i].size());
    error_code error;
    // One span, the common case, goes by the cheaper call.
    size_t sent = count == 1 ? socket_.write_some(buffers[0], error)
                             : socket_.write_some(std::span(buffers).first(count), error);
    if (error == asio::error::would_block) return true;
    if (error) return false;
    output.Consume(sent);
    client_->net_out += static_cast<int64_t>(sent);
    ThreadStats& stats = loop_.executor().thread().stats;
    stats.net_output_bytes += static_cast<int64_t>(sent);
    stats.writes += 1;
  }
  return true;
}

void Connection::StartWriting() {
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(
      loop_.context().get_executor(),
      [self = shared_from_this()]() -> Awaitable<void> { co_await self->WriteUnsent(); },
      asio::detached);
}

Connection::Awaitable<void> Connection::WriteUnsent() {
  while (open_ && !unsent_.empty() && !HoldsReplies()) {
    error_code error;
    co_await socket_.async_wait(Socket::wait_write, Use(error));
    if (!open_) break;
    if (error || !SendNow(unsent_)) {
      Close();
      break;
    }
    NoteBuffers();
  }
  writing_ = false;
  if (unsent_.empty()) {
    unsent_.Release();
    over_soft_limit_since_ms_ = 0;
  }
  wake_.cancel();
}

void Connection::Push(SharedBytes bytes) {
  if (loop_.OnThisThread()) return PushHere(std::move(bytes));
  asio::post(loop_.context(), [weak = weak_from_this(), bytes = std::move(bytes)]() mutable {
    if (auto self = weak.lock()) self->PushHere(std::move(bytes));
  });
}

void Connection::PushMessage(SharedBytes bytes, std::shared_ptr<const Subscription> subscription) {
  if (loop_.OnThisThread()) {
    if (subscription->active) PushHere(std::move(bytes));
    return;
  }
  asio::post(loop_.context(), [weak = weak_from_this(), bytes = std::move(bytes),
                               subscription = std::move(subscription)]() mutable {
    auto self = weak.lock();
    if (self && subscription->active) self->PushHere(std::move(bytes));
  });
}

void Connection::PushHere(SharedBytes bytes) {
  if (!open_) return;
  if (replies_ != nullptr) return replies_->Append(std::move(bytes));
  OutputBuffer output;
  output.Append(std::move(bytes));
  if (!Send(output)) Close();
}

void Connection::Kill() {
  client_->killed = true;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Close();
  });
}

bool Connection::OverOutputLimit(int64_t now_ms) {
  const Config& settings = loop_.server().settings();
  const OutputLimit& limit =
      settings.output_limit(client_->subscribed() ? ClientClass::kPubsub : ClientClass::kNormal);
  int64_t waiting = static_cast<int64_t>(unsent_.size());
  int64_t hard = limit.hard_bytes;
  int64_t soft = limit.soft_bytes;
  bool over = hard != 0 && waiting >= hard;
  if (soft == 0 || waiting < soft) {
    over_soft_limit_since_ms_ = 0;
  } else if (over_soft_limit_since_ms_ == 0) {
    over_soft_limit_since_ms_ = now_ms;
  } else {
    over |= now_ms - over_soft_limit_since_ms_ > limit.soft_seconds * 1000;
  }
  if (!over) return false;
  loop_.executor().thread().stats.output_limit_disconnections += 1;
  LogWarning("Client {} closed for overcoming of output buffer limits.", client_->address);
  return true;
}

void Connection::CheckLimits(int64_t now_ms) {
  int64_t timeout_s = loop_.server().settings().timeout_s;
  bool exempt = client_->subscribed() || client_->monitor || client_->blocked;
  if (timeout_s > 0 && !exempt && now_ms - client_->last_ms > timeout_s * 1000) {
    LogVerbose("Closing idle client {}", client_->address);
    return Close();
  }
  if (!unsent_.empty() && OverOutputLimit(now_ms)) Close();
}

void Connection::NoteBuffers() {
  client_->query_bytes = static_cast<int64_t>(kept_.size());
  client_->query_capacity = static_cast<int64_t>(kept_.capacity());
  client_->output_bytes = static_cast<int64_t>(unsent_.size());
  client_->output_memory = static_cast<int64_t>(unsent_.owned_bytes());
}

void Connection::Close() {
  if (!open_) return;
  open_ = false;
  std::shared_ptr<Connection> self = shared_from_this();
  loop_.server().Disconnected(*client_, this);
  error_code ignored;
  socket_.close(ignored);
  wake_.cancel();
  loop_.Remove(self);
}

}  // namespace cloakroom
