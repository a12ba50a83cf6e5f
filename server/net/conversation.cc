#include "server/net/conversation.h"

#include <utility>

#include "server/config/config.h"
#include "server/execution/transaction.h"

namespace cloakroom {
namespace {

/// How many requests of one client are looked up together. More would push each other out of the
/// cache.
constexpr size_t kMaxBatch = 32;

}  // namespace

Conversation::Conversation(Executor& executor, std::shared_ptr<Client> client)
    : executor_(executor), client_(std::move(client)) {
  ApplyLimits();
}

Conversation::~Conversation() {
  Abandon();
  if (client_->in_multi || !client_->watched.empty()) {
    LeaveMulti(executor_.server(), executor_.thread().slot, *client_);
  }
}

void Conversation::ApplyLimits() {
  int64_t bulk_limit = executor_.server().settings().proto_max_bulk_len_bytes;
  if (client_->authenticated == parser_authenticated_ && bulk_limit == parser_bulk_limit_) return;
  parser_authenticated_ = client_->authenticated;
  parser_bulk_limit_ = bulk_limit;
  ParserLimits limits;
  limits.proto_max_bulk_len = bulk_limit;
  limits.authenticated = client_->authenticated;
  parser_.set_limits(limits);
}

Conversation::Part Conversation::Parse(std::span<char> bytes, Batch& batch, bool ahead) {
  Part part{.batch = &batch, .first = batch.size()};
  // A request that may change how the next one is parsed (AUTH) is executed before that; so is an
  // inline request, because parsing changes its bytes.
  const size_t most = client_->authenticated ? kMaxBatch : 1;
  while (part.count < most) {
    const size_t start = parser_.consumed();
    const bool is_inline = start < bytes.size() && bytes[start] != '*';
    if (is_inline && (ahead || part.count > 0)) break;
    const size_t first = batch.arguments.size();
    const RequestParser::Status status = parser_.Parse(bytes, batch.arguments);
    if (status != RequestParser::Status::kRequest) {
      failed_ = status == RequestParser::Status::kError;
      break;
    }
    batch.places.push_back(
        {first, batch.arguments.size() - first, parser_.consumed(), client_->db});
    ++part.count;
    if (is_inline) break;
  }
  return part;
}

void Conversation::Begin(std::span<char> bytes, Batch& batch) {
  if (!client_->authenticated) return;
  ApplyLimits();
  begun_ = Parse(bytes, batch, /*ahead=*/true);
}

void Conversation::ParseAgain() {
  begun_ = {};
  ResetParser();
}

void Conversation::ResetParser() {
  parser_ = RequestParser();
  // Has the limits applied anew.
  parser_bulk_limit_ = 0;
  failed_ = false;
}

bool Conversation::TurnIsOver(const OutputBuffer& out) const {
  return requests_left_ <= 0 || out.size() >= reply_end_ || executor_.now_us() >= end_us_;
}

Conversation::Next Conversation::Consume(std::span<char> bytes, OutputBuffer& out,
                                         const Turn& turn) {
  consumed_ = 0;
  client_->last_ms = executor_.now_ms();
  requests_left_ = turn.requests;
  reply_end_ = out.size() + turn.reply_bytes;
  end_us_ = executor_.now_us() + turn.time_us;
  Part part = std::exchange(begun_, {});
  while (true) {
    const std::span<char> rest = bytes.subspan(consumed_);
    if (consumed_ > 0 && TurnIsOver(out)) return rest.empty() ? Next::kRead : Next::kTurn;
    if (part.count == 0) {
      ApplyLimits();
      Batch& batch = executor_.batches().turn;
      batch.Clear();
      part = Parse(rest, batch, /*ahead=*/false);
      executor_.Prepare(batch);
    }
    const size_t parsed = parser_.TakeConsumed();
    if (part.count > 0) {
      const Next next = ExecutePart(part, out);
      if (next != Next::kRead) return next;
    }
    if (failed_) {
      ReplyWriter(out, client_->resp).Error(parser_.error());
      return Next::kClose;
    }
    consumed_ += parsed;
    if (part.count == 0 || consumed_ == bytes.size()) return Next::kRead;
    part = {};
  }
}

Conversation::Next Conversation::ExecutePart(const Part& part, OutputBuffer& out) {
  const size_t end = part.first + part.count;
  for (size_t i = part.first; i < end; ++i) {
    Next next = Execute(part.batch->requests[i], out, /*queued=*/false);
    --requests_left_;
    const bool last = i + 1 == end;
    if (next == Next::kRead && (last || !TurnIsOver(out))) continue;
    if (next == Next::kRead) next = Next::kTurn;
    // The requests behind this one are parsed again later.
    consumed_ += part.batch->places[i].end;
    ResetParser();
    return next;
  }
  return Next::kRead;
}

Conversation::Next Conversation::Execute(const Request& request, OutputBuffer& out, bool queued) {
  ReplyWriter reply(out, client_->resp);
  client_->last_command = request.command;
  client_->commands += 1;
  Outcome outcome = executor_.Execute(*client_, request, reply, queued);
  if (outcome.kind == Outcome::Kind::kDone) [[likely]]
    return client_->close_after_reply ? Leave() : Next::kRead;
  outcome_ = std::move(outcome);
  switch (outcome_.kind) {
    case Outcome::Kind::kDone:
      break;
    case Outcome::Kind::kGate:
      Park(request);
      Queue();
      return Next::kGate;
    case Outcome::Kind::kSoon:
      Park(request);
      return Next::kSoon;
    case Outcome::Kind::kPaused:
      Park(request);
      return Next::kPause;
    case Outcome::Kind::kBlocked:
      Park(request);
      return Next::kBlocked;
    case Outcome::Kind::kLongWork:
    case Outcome::Kind::kPrepare:
      Park(request);
      return Next::kLongWork;
  }
  return Next::kRead;
}

Conversation::Next Conversation::Leave() const {
  return client_->hand_over ? Next::kHandOver : Next::kClose;
}

void Conversation::Park(const Request& request) {
  client_->blocked = true;
  if (&request == &parked_) return;
  size_t size = 0;
  for (const std::string_view arg : request.args) size += arg.size();
  parked_bytes_.reserve(size);
  parked_args_.reserve(request.args.size());
  for (const std::string_view arg : request.args) {
    parked_args_.emplace_back(parked_bytes_.data() + parked_bytes_.size(), arg.size());
    parked_bytes_.append(arg);
  }
  parked_ = executor_.Prepare(parked_args_);
}

void Conversation::Unpark() {
  client_->blocked = false;
  DropPrepared();
  parked_ = {};
  parked_args_ = {};
  parked_bytes_ = {};
}

Conversation::Next Conversation::Resume(OutputBuffer& out) {
  client_->blocked = false;
  executor_.BeginBatch();
  client_->last_ms = executor_.now_ms();
  Next next = Execute(parked_, out, queued());
  if (next == Next::kGate || next == Next::kSoon) return next;
  if (next != Next::kPause) DropPrepared();
  // A SESSION.OPEN may be refused when it runs again.
  if (next != Next::kPause && next != Next::kBlocked) executor_.LeaveSessionQueue(*client_);
  if (!client_->blocked) Unpark();
  tickets_.Clear();
  refused_since_us_.reset();
  return next;
}

/// It may be the last reference to large values, which take long to free.
void Conversation::DropPrepared() {
  if (parked_.prepared == nullptr) return;
  executor_.server().workers().Post([prepared = std::move(parked_.prepared)] {});
}

void Conversation::Queue() {
  if (!refused_since_us_) refused_since_us_ = executor_.now_us();
  if (executor_.now_us() - *refused_since_us_ < Gate::kPatience.count()) return;
  tickets_.Refused(*outcome_.gate);
}

Conversation::Next Conversation::FinishBlocked(OutputBuffer& out) {
  const Outcome outcome = std::exchange(outcome_, {});
  if (outcome.blocked->runs_again()) {
    executor_.EndBlock(*client_, outcome.blocked);
    return Resume(out);
  }
  const size_t mark = out.Mark();
  ReplyWriter reply(out, client_->resp);
  executor_.FinishBlocked(*client_, parked_, outcome, reply);
  client_->last_ms = executor_.now_ms();
  executor_.LeaveSessionQueue(*client_);
  Unpark();
  if (client_->reply_mode != ReplyMode::kOn) out.Truncate(mark);
  if (client_->reply_mode == ReplyMode::kSkip) client_->reply_mode = ReplyMode::kOn;
  return client_->close_after_reply ? Leave() : Next::kRead;
}

void Conversation::Abandon() {
  if (outcome_.blocked != nullptr)
    executor_.AbandonBlocked(*client_, std::exchange(outcome_.blocked, nullptr));
  executor_.GiveBackSessions(*client_);
}

Conversation::Next Conversation::FinishLongWork(LongWork& work, OutputBuffer& out) {
  if (outcome_.kind == Outcome::Kind::kPrepare) {
    parked_.prepared = std::move(work.prepared);
    ++parked_.preparations;
    parked_.first_run_us = outcome_.started_us;
    return Resume(out);
  }
  executor_.FinishLongWork(*client_, parked_, outcome_.started_us, work.error_code());
  outcome_ = {};
  Unpark();
  if (client_->reply_mode == ReplyMode::kOn) {
    work.output().MoveTo(out);
  } else if (client_->reply_mode == ReplyMode::kSkip) {
    client_->reply_mode = ReplyMode::kOn;
  }
  return Next::kRead;
}

}  // namespace cloakroom
