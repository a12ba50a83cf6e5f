#include "tests/stress/actor.h"

#include <atomic>
#include <optional>
#include <utility>

#include "gtest/gtest.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_reader.h"
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
  std::optional<Gate::Ticket> ticket;
  executor_.BeginBatch();
  Request request = executor_.Prepare(views);
  while (true) {
    Outcome outcome = executor_.Execute(*client_, request, writer, ticket.has_value());
    if (outcome.kind == Outcome::Kind::kDone) break;
    if (outcome.kind == Outcome::Kind::kDeferred) {
      LongWork work(writer, server_.keyspace().background_slot(), /*pass=*/true);
      outcome.work(work);
      executor_.FinishDeferred(*client_, request, outcome.started_us, work.error_code());
      break;
    }
    if (!ticket || &ticket->gate() != outcome.gate) ticket.emplace(*outcome.gate);
    WaitForGate(*ticket);
    executor_.BeginBatch();
  }
  ReplyReader reader;
  EXPECT_EQ(reader.Read(TakeText(out)), ReplyReader::Status::kReply);
  return reader.TakeReply();
}

void Actor::WaitForGate(const Gate::Ticket& ticket) {
  auto open = std::make_shared<std::atomic<bool>>(false);
  ticket.gate().WhenOpen(/*queued=*/true, [open] {
    open->store(true);
    open->notify_all();
  });
  open->wait(false);
}

}  // namespace cloakroom
