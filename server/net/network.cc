#include "server/net/network.h"

#include <sys/signalfd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <csignal>
#include <functional>

#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/net/ending.h"
#include "server/net/heartbeat.h"
#include "server/persistence/persistence.h"
#include "server/script/running_scripts.h"
#include "server/sessions/native_sessions.h"

namespace cloakroom {

Network::Network(Server& server)
    : server_(server),
      loads_(static_cast<size_t>(server.thread_count())),
      running_loops_(static_cast<size_t>(server.thread_count())),
      loops_([&] {
        std::vector<std::unique_ptr<EventLoop>> loops;
        loops.reserve(static_cast<size_t>(server.thread_count()));
        for (int i = 0; i < server.thread_count(); ++i) {
          loops.push_back(std::make_unique<EventLoop>(server, loads_, running_loops_, i));
        }
        return loops;
      }()),
      listener_(server, loads_, LoopPointers()),
      replicas_(std::make_unique<ReplicationThread>(server)) {}

Network::~Network() = default;

std::vector<EventLoop*> Network::LoopPointers() const {
  std::vector<EventLoop*> pointers;
  pointers.reserve(loops_.size());
  for (const auto& loop : loops_) pointers.push_back(loop.get());
  return pointers;
}

namespace {

/// What shutdown-on-sigterm, or -sigint, says.
Server::ShutdownRequest RequestOf(Server& server, bool interrupted) {
  Server::ShutdownRequest request;
  for (const std::string& word :
       server.config().Words(interrupted ? "shutdown-on-sigint" : "shutdown-on-sigterm")) {
    if (word == "save") request.save = ShutdownSave::kSave;
    if (word == "nosave") request.save = ShutdownSave::kNoSave;
    if (word == "force") request.force = true;
  }
  return request;
}

}  // namespace

void Network::Start() {
  listener_.Start();
  for (auto& loop : loops_) loop->Start();
}

void Network::Run(int signals) {
  // The main thread takes signals and the order to stop; it has nothing else to do.
  boost::asio::io_context& main_loop = main_loop_.io();
  auto work = boost::asio::make_work_guard(main_loop);
  Ending ending(main_loop, server_, [this] {
    // All gates are closed. A loop that runs a script would not stop accepting.
    server_.running_scripts().EndAll();
    listener_.StopAccepting();
  });
  server_.set_shutdown_handler([&](Server::ShutdownRequest request) {
    Ending::EndScriptsFor(server_, request);
    boost::asio::post(main_loop, [&, request = std::move(request)]() mutable {
      ending.Request(std::move(request));
    });
  });
  boost::asio::posix::stream_descriptor signal_reader(main_loop, signals);
  signalfd_siginfo signal{};
  std::function<void()> next_signal = [&] {
    auto bytes = boost::asio::buffer(&signal, sizeof(signal));
    boost::asio::async_read(signal_reader, bytes, [&](boost::system::error_code error, size_t) {
      if (error) return;
      const uint32_t number = signal.ssi_signo;
      // First wait for the next signal: the end that this one asks for must hear it while it saves.
      next_signal();
      if (number == SIGHUP) {
        ReopenLog();
      } else {
        const bool interrupted = number == SIGINT;
        LogWarning("Received {} scheduling shutdown...", interrupted ? "SIGINT" : "SIGTERM");
        // Redis does not wait for a script any longer then either.
        if (interrupted && ending.waits()) {
          ending.Request({.save = ShutdownSave::kNoSave, .force = true, .now = true});
        } else {
          ending.Request(RequestOf(server_, interrupted));
        }
      }
    });
  };
  next_signal();

  Heartbeat heartbeat(main_loop, server_, LoopPointers());
  heartbeat.Start();
  main_loop.run();
  server_.set_shutdown_handler(nullptr);
  // Those who asked in time get their answer, because a worker waits for it.
  main_loop.restart();
  main_loop.poll();
  Stop();
}

void Network::Stop() {
  for (auto& loop : loops_) loop->Stop();
  for (auto& loop : loops_) loop->Join();
  replicas_.reset();
  // Work that waits for a gate may go on: nobody gets its result any more.
  server_.persistence().OpenGates();
  server_.sessions().End();
  // While the loops still exist: work for a connection wakes it through its loop.
  server_.workers().Stop();
  listener_.Close();
}

}  // namespace cloakroom
