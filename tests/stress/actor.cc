#include "tests/stress/actor.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_reader.h"
#include "server/session/client_registry.h"
#include "tests/server/support/output_text.h"

namespace cloakroom {

Actor::Actor(Server& server, int event_loop, int db)
    : server_(server),
      executor_(server, server.thread(event_loop)),
      client_(std::make_shared<Client>(server.clients().NextId(), server.clock().NowMs())) {
  client_->address = "127.0.0.1:50000";
  client_->local = true;
  client_->authenticated = true;
  client_->db = db;
  server_.clients().Add(client_);
}

Actor::~Actor() { server_.Disconnected(*client_, nullptr); }

ReplyValue Actor::Run(std::vector<std::string> args) {
  std::string name = args[0];
  ReplyValue reply = RunOrRefused(std::move(args));
  EXPECT_FALSE(reply.is_error()) << name << ": " << reply.text;
  return reply;
}

ReplyValue Actor::RunOrRefused(std::vector<std::string> args) {
  std::vector<std::string_view> views(args.begin(), args.end());
  OutputBuffer out;
  ReplyWriter writer(out, client_->resp);
  GateTickets tickets;
  executor_.BeginBatch();
  Request request = executor_.Prepare(views);
  while (true) {
    Outcome outcome = executor_.Execute(*client_, request, writer, tickets.any());
    if (outcome.kind == Outcome::Kind::kDone) break;
    if (outcome.kind == Outcome::Kind::kBlocked) {
      AwaitEnd(*outcome.blocked);
      executor_.FinishBlocked(*client_, request, outcome, writer);
      break;
    }
    if (outcome.kind == Outcome::Kind::kLongWork) {
      auto work = Work(std::move(outcome.work));
      executor_.FinishLongWork(*client_, request, outcome.started_us, work->error_code());
      work->output().MoveTo(out);
      break;
    }
    if (outcome.kind == Outcome::Kind::kPrepare) {
      request.prepared = Work(std::move(outcome.work))->prepared;
      ++request.preparations;
    } else if (outcome.kind == Outcome::Kind::kGate) {
      tickets.Refused(*outcome.gate);
      outcome.wish.queued = true;
      WaitForGate(*outcome.gate, outcome.wish);
    } else {
      std::this_thread::sleep_for(Hold::kSoon);
    }
    executor_.BeginBatch();
  }
  ReplyReader reader;
  EXPECT_EQ(reader.Read(TakeText(out)), ReplyReader::Status::kReply);
  return reader.TakeReply();
}

std::shared_ptr<LongWork> Actor::Work(LongWork::Function function) {
  auto done = std::make_shared<std::promise<void>>();
  auto work = std::make_shared<LongWork>(
      std::move(function), server_.workers(), server_.running_scripts(),
      server_.keyspace().background_slot(), client_->resp, [done] { done->set_value(); });
  work->Start();
  done->get_future().wait();
  return work;
}

void Actor::AwaitEnd(BlockedRequest& blocked) {
  auto ended = std::make_shared<std::promise<void>>();
  blocked.WhenSettled([ended] { ended->set_value(); });
  std::future<void> end = ended->get_future();
  const std::chrono::milliseconds limit(blocked.time_limit_ms());
  if (limit.count() > 0 && end.wait_for(limit) == std::future_status::timeout) blocked.TimeOut();
  end.wait();
}

void Actor::WaitForGate(Gate& gate, Gate::Wish wish) {
  auto open = std::make_shared<std::atomic<bool>>(false);
  gate.WhenOpen(wish, [open] {
    open->store(true);
    open->notify_all();
  });
  open->wait(false);
}

}  // namespace cloakroom
