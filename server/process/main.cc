// cloakroom-server: reads the configuration, puts the server together, and serves until told to
// stop.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/version.h"
#include "replication/files/file_status.h"
#include "server/config/command_line.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/context/supervisor.h"
#include "server/log/log.h"
#include "server/log/log_settings.h"
#include "server/net/bind_address.h"
#include "server/net/network.h"
#include "server/persistence/persistence.h"
#include "server/process/command_line_help.h"
#include "server/process/cron.h"
#include "server/process/machine_limits.h"
#include "server/process/process.h"
#include "server/process/start_trial.h"
#include "server/process/start_warnings.h"
#include "storage/base/clock.h"
#include "storage/base/huge_pages.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

/// Before there is a log.
int FailWithoutLog(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return kExitCannotStart;
}

int Fail(const std::string& message) {
  LogWarning("{}", message);
  FlushLog(absl::Seconds(2));
  StopLog();
  return kExitCannotStart;
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

DescriptorLimit AllowClientsOf(const ConfigStore& config) {
  const auto addresses = static_cast<int64_t>(BindAddresses(config.Words("bind")).size());
  const int64_t reserved =
      ReservedDescriptors({.event_loops = config.live().io_threads,
                           .addresses = config.live().port == 0 ? 0 : addresses});
  return AllowClients(config.live().maxclients, reserved);
}

/// Sees to it that `maxclients` fit: fewer than asked for at the start, refused later. The error is
/// what keeps the server from starting.
absl::Status FollowMaxClients(ConfigStore& config) {
  const int64_t asked = config.live().maxclients;
  const DescriptorLimit limit = AllowClientsOf(config);
  if (limit.clients == 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("Your current 'ulimit -n' of ", limit.now,
                     " is not enough for the server to start. Please increase your open file "
                     "limit to at least ",
                     limit.wanted - asked + 1, ". Exiting."));
  }
  if (limit.clients < asked) {
    LogWarning("You requested maxclients of {} requiring at least {} max file descriptors.", asked,
               limit.wanted);
    LogWarning("Server can't set maximum open files to {} because of OS error: {}.", limit.wanted,
               std::strerror(limit.error));
    LogWarning(
        "Current maximum open files is {}. maxclients has been reduced to {} to compensate for low "
        "ulimit. If you need higher maxclients increase 'ulimit -n', or the service's "
        "LimitNOFILE=.",
        limit.now, limit.clients);
    std::string text = std::to_string(limit.clients);
    std::string_view words[] = {"maxclients", text};
    // Nobody has subscribed yet who could refuse it.
    config.Set(words).IgnoreError();
  } else if (limit.now > limit.before) {
    LogNotice("Increased maximum number of open files to {} (it was originally set to {}).",
              limit.now, limit.before);
  }
  config.Subscribe({"maxclients"}, [&config] {
    const int64_t room = AllowClientsOf(config).clients;
    if (room >= config.live().maxclients) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat(
        "The operating system is not able to handle the specified number of clients, try with ",
        room));
  });
  config.Subscribe({"bind", "port"}, [&config] {
    if (AllowClientsOf(config).clients >= config.live().maxclients) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        "So many addresses leave too few open files for 'maxclients'.");
  });
  return absl::OkStatus();
}

/// Everything after the configuration is known. `signals` as TakeSignals gave it.
int Serve(ConfigStore& config, int signals) {
  std::string dir = config.Text("dir");
  if (chdir(dir.c_str()) != 0) return Fail(DirectoryError(dir, errno));
  if (absl::Status fit = FollowMaxClients(config); !fit.ok()) return Fail(MessageOf(fit));
  for (const std::string& warning : StartWarnings(config, MachineLimits::Read())) {
    LogWarning("{}", warning);
  }
  const bool huge_pages = !config.live().disable_thp;
  AllowHugePages(huge_pages);
  SystemClock clock;
  Server server(clock, config, config.live().io_threads);
  Network network(server);
  if (absl::Status opened = network.Open(); !opened.ok()) return Fail(MessageOf(opened));
  std::string pid_file = config.Text("pidfile");
  if (!pid_file.empty()) {
    if (absl::Status written = WritePidFile(pid_file); !written.ok()) {
      LogWarning("{}", MessageOf(written));
    }
  }
  LogNotice("Server initialized");
  server.persistence().loader().Begin();
  network.Start();
  AllowHugePages(true);
  bool ends = false;
  auto stop = [&] {
    while (int number = ReadSignal(signals)) {
      if (number == SIGHUP) {
        ReopenLog();
      } else {
        ends = true;
      }
    }
    ends = ends || server.shutdown_requested();
    return ends;
  };
  if (absl::Status loaded = server.persistence().loader().LoadAtStart(stop); !loaded.ok()) {
    network.Stop();
    if (!ends) return Fail(MessageOf(loaded));
    LogWarning("{}", MessageOf(loaded));
  } else {
    // Told to end when the load was as good as over: the ordinary end, at once.
    if (ends) server.RequestShutdown({});
    AllowHugePages(huge_pages);
    Cron cron(server);
    LogNotice("Ready to accept connections");
    TellSupervisor("READY=1");
    network.Run(signals);
    TellSupervisor("STOPPING=1\nSTATUS=Ending");
  }
  if (!pid_file.empty()) unlink(pid_file.c_str());
  LogWarning("Cloakroom is now ready to exit, bye bye...");
  StopLog();
  return kExitDone;
}

/// --check-config, once the configuration is read.
int Check(const ConfigStore& config) {
  const StartTrial trial = TryStart(config);
  for (const std::string& error : trial.errors) std::fprintf(stderr, "%s\n", error.c_str());
  if (!trial.errors.empty()) return kExitCannotStart;
  std::fputs(CheckedConfiguration(config).c_str(), stdout);
  std::vector<std::string> warnings = StartWarnings(config, MachineLimits::Read());
  warnings.insert(warnings.end(), trial.warnings.begin(), trial.warnings.end());
  for (const std::string& warning : warnings) std::printf("Warning: %s\n", warning.c_str());
  return kExitDone;
}

int Main(const std::vector<std::string>& arguments) {
  MemoryMeter::RegisterThread();
  signal(SIGPIPE, SIG_IGN);
  CommandLine line = ParseCommandLine(arguments);
  if (line.version) {
    std::printf("Cloakroom server v=%s redis=%s\n", kCloakroomVersion, kRedisVersion);
    return kExitDone;
  }
  if (line.help) {
    std::fputs(kServerHelp, stdout);
    return kExitDone;
  }
  if (line.print_defaults) {
    std::fputs(DefaultConfiguration().c_str(), stdout);
    return kExitDone;
  }
  ConfigStore config;
  if (absl::Status loaded = config.Load(line); !loaded.ok()) return FailWithoutLog(loaded);
  if (absl::Status may = MayStart(config); !may.ok()) return FailWithoutLog(may);
  if (line.check_config) return Check(config);
  if (config.live().daemonize) Daemonize();
  int signals = TakeSignals();
  if (absl::Status begun = StartLog(LogOptionsFrom(config)); !begun.ok()) {
    return FailWithoutLog(begun);
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
