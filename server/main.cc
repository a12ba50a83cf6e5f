// cloakroom-server: reads the configuration, puts the server together, and serves until told to
// stop.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "server/config/command_line.h"
#include "server/config/config_store.h"
#include "server/cron.h"
#include "server/log/log.h"
#include "server/log/log_settings.h"
#include "server/net/network.h"
#include "server/process.h"
#include "server/server.h"
#include "server/version.h"
#include "storage/clock.h"
#include "storage/memory_meter.h"

namespace cloakroom {
namespace {

constexpr char kUsage[] =
    "Usage: cloakroom-server [FILE.conf] [--directive value ...] [-]\n"
    "       cloakroom-server -v | --version\n"
    "       cloakroom-server -h | --help\n\n"
    "FILE.conf has redis.conf's grammar; cloakroom.conf lists all directives. Directives on the\n"
    "command line win over the file's; '-' reads more of them from standard input.\n\n"
    "Examples:\n"
    "       cloakroom-server                        (defaults: port 6379 on this machine)\n"
    "       cloakroom-server /etc/cloakroom/cloakroom.conf\n"
    "       cloakroom-server --port 7777 --maxmemory 2gb --maxmemory-policy volatile-lru\n";

int Fail(const std::string& message) {
  LogWarning("{}", message);
  FlushLog(absl::Seconds(2));
  StopLog();
  return 1;
}

void LogBanner(const ConfigStore& config) {
  const Config& settings = config.live();
  std::string file = config.ConfigFile();
  LogNotice("Cloakroom {} (speaks Redis {}) is starting, pid {}", kCloakroomVersion, kRedisVersion,
            getpid());
  LogNotice("Port {}, {} threads, {}", settings.port.Get(), settings.io_threads.Get(),
            file.empty() ? "no config file: defaults and command line" : "config file " + file);
  for (const std::string& name : config.GivenWithoutEffect()) {
    LogNotice("Accepted, but without effect in this version: {}", name);
  }
  if (settings.port != 0) {
    LogNotice("Try it: redis-cli -p {} ping", settings.port.Get());
  }
}

/// Sees to it that `maxclients` fit: fewer than asked for at the start, refused later.
void FollowMaxClients(ConfigStore& config) {
  const Config& settings = config.live();
  int64_t fits = AllowClients(settings.maxclients);
  if (fits < settings.maxclients) {
    LogWarning(
        "The system's limit of open files leaves room for {} clients, not the {} that "
        "'maxclients' asks for. Raise it with 'ulimit -n' or LimitNOFILE=.",
        fits, settings.maxclients.Get());
    std::string text = std::to_string(fits);
    std::string_view words[] = {"maxclients", text};
    config.Set(words);
  }
  config.Subscribe({"maxclients"}, [&settings] {
    int64_t room = AllowClients(settings.maxclients);
    if (room >= settings.maxclients) return std::string();
    return "The operating system is not able to handle the specified number of clients, try with " +
           std::to_string(room);
  });
}

/// Everything after the configuration is known. `signals` as TakeSignals gave it.
int Serve(ConfigStore& config, int signals) {
  std::string dir = config.Text("dir");
  if (chdir(dir.c_str()) != 0) {
    return Fail("Can't chdir to '" + dir +
                "', which 'dir' names: make the directory or change it.");
  }
  FollowMaxClients(config);
  SystemClock clock;
  Server server(clock, config, config.live().io_threads);
  Network network(server);
  if (auto error = network.Open()) return Fail(*error);
  std::string pid_file = config.Text("pidfile");
  if (!pid_file.empty()) {
    if (auto error = WritePidFile(pid_file)) LogWarning("{}", *error);
  }
  LogNotice("Server initialized");
  network.Start();
  if (auto error = server.persistence().Load([signals] { return SignalWaits(signals); })) {
    network.Stop();
    return Fail(*error);
  }
  {
    Cron cron(server);
    LogNotice("Ready to accept connections");
    NotifyReady(/*stopping=*/false);
    network.Run(signals);
    NotifyReady(/*stopping=*/true);
  }
  if (!pid_file.empty()) unlink(pid_file.c_str());
  LogWarning("Cloakroom is now ready to exit, bye bye...");
  StopLog();
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  MemoryMeter::RegisterThread();
  signal(SIGPIPE, SIG_IGN);
  CommandLine line = ParseCommandLine(arguments);
  if (line.version) {
    std::printf("Cloakroom server v=%s redis=%s\n", kCloakroomVersion, kRedisVersion);
    return 0;
  }
  if (line.help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  ConfigStore config;
  if (auto error = config.Load(line)) {
    std::fprintf(stderr, "%s\n", error->c_str());
    return 1;
  }
  if (config.live().daemonize) Daemonize();
  int signals = TakeSignals();
  if (auto error = StartLog(LogOptionsFrom(config))) {
    std::fprintf(stderr, "%s\n", error->c_str());
    return 1;
  }
  FollowLogSettings(config);
  LogBanner(config);
  return Serve(config, signals);
}

}  // namespace
}  // namespace cloakroom

int main(int argc, char** argv) {
  return cloakroom::Main(std::vector<std::string>(argv + 1, argv + argc));
}
