#include "tests/server/support/server_fixture.h"

#include <sstream>
#include <utility>

#include "server/session/client_registry.h"
#include "tests/server/support/output_text.h"

namespace cloakroom {
namespace {

std::vector<std::string> Words(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace

ServerTest::Connected& ServerTest::Connect(const std::string& name) {
  Connected& connected = clients_[name];
  if (connected.client == nullptr) {
    connected.client = std::make_shared<Client>(server_.clients().NextId(), clock_.NowMs());
    connected.client->address = "127.0.0.1:50000";
    connected.client->local_address = "127.0.0.1:6379";
    connected.client->local = true;
    connected.client->authenticated = true;
    connected.link = std::make_shared<FakeLink>();
    connected.client->link = connected.link;
    server_.clients().Add(connected.client);
  }
  return connected;
}

Client& ServerTest::ClientNamed(const std::string& name) { return *Connect(name).client; }

FakeLink& ServerTest::LinkOf(const std::string& name) { return *Connect(name).link; }

std::string ServerTest::RunAs(const std::string& name, std::vector<std::string> args) {
  Client& client = ClientNamed(name);
  std::vector<std::string_view> views(args.begin(), args.end());
  OutputBuffer out;
  ReplyWriter reply(out, client.resp);
  executor_.BeginBatch();
  Request request = executor_.Prepare(views);
  Outcome outcome = executor_.Execute(client, request, reply, /*queued=*/false);
  while (outcome.kind == Outcome::Kind::kPrepare) {
    auto work = RunWork(std::move(outcome.work), reply);
    if (after_preparing_) after_preparing_();
    ++request.preparations;
    request.prepared = work->prepared;
    outcome = executor_.Execute(client, request, reply, /*queued=*/false);
  }
  switch (outcome.kind) {
    case Outcome::Kind::kDone:
    case Outcome::Kind::kPrepare:
      break;
    case Outcome::Kind::kLongWork: {
      auto work = RunWork(std::move(outcome.work), reply);
      executor_.FinishLongWork(client, request, outcome.started_us, work->error_code());
      work->output().MoveTo(out);
      break;
    }
    case Outcome::Kind::kGate:
      return "(waits for a gate)";
    case Outcome::Kind::kSoon:
      return "(soon)";
    case Outcome::Kind::kPaused:
      return "(paused)";
    case Outcome::Kind::kBlocked:
      blocked_ = outcome.blocked;
      return "(blocked)";
  }
  return TakeText(out);
}

std::shared_ptr<LongWork> ServerTest::RunWork(LongWork::Function function, ReplyWriter& reply) {
  auto work =
      std::make_shared<LongWork>(std::move(function), server_.workers(), server_.running_scripts(),
                                 server_.keyspace().background_slot(), reply.resp(), [] {});
  work->RunToEnd();
  return work;
}

std::string ServerTest::Run(std::string_view line) { return RunAs("", Words(line)); }

std::string ServerTest::RunAs(const std::string& client, std::string_view line) {
  return RunAs(client, Words(line));
}

}  // namespace cloakroom
