#include "server/process/command_line_help.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "server/config/directive.h"

namespace cloakroom {

const char kServerHelp[] =
    R"(cloakroom-server: a session and object cache server that speaks the Redis protocol

Usage:
  cloakroom-server [FILE.conf] [--directive value ...] [-]
  cloakroom-server --check-config [FILE.conf] [--directive value ...]
  cloakroom-server --print-defaults
  cloakroom-server --version
  cloakroom-server --help

Arguments:
  FILE.conf         a configuration file; the grammar is that of redis.conf
  --directive       any directive of the file, with its values; wins over the file
  -                 reads more directives from standard input

Options:
  --check-config    reads the configuration and says what is wrong with it, what on this machine
                    would fail the start, and what a start would warn of, without starting
  --print-defaults  prints a configuration file with every directive at its default
  -v, --version     prints the versions of Cloakroom and of the Redis that it speaks
  -h, --help        prints this text

Signals:
  SIGTERM, SIGINT   ends the server; as SHUTDOWN, it saves where 'save' asks for it
  SIGHUP            opens the log file anew, for logrotate

Exit status:
  0                 the server ended as it was told to, or the configuration is good
  1                 it cannot start, or the configuration is not good; the log, or standard
                    error before there is one, says why and what to do
  128+N             it was ended by signal N

Environment:
  NOTIFY_SOCKET     systemd's, for Type=notify: told when clients can connect, and the status
  WATCHDOG_USEC     systemd's, for WatchdogSec=: how often it wants a sign of life

Files:
  /etc/cloakroom/cloakroom.conf  the configuration of the packaged service
  /var/lib/cloakroom             its data
  /var/log/cloakroom             its log

Examples:
  cloakroom-server                                    port 6379, serves this machine
  cloakroom-server /etc/redis/redis.conf              in Redis' place
  cloakroom-server --port 7777 --maxmemory 2gb        directives on the command line
  cloakroom-server --check-config cloakroom.conf      before a restart
)";

std::string DefaultConfiguration() {
  std::string serving, accepted;
  for (const config::Directive* row : config::AllDirectives()) {
    if (row->Is(config::kRepeatable) || row->Is(config::kHidden)) continue;
    config::Value usual = config::FromText(*row, config::DefaultText(*row));
    std::vector<std::string> lines = config::FileLines(*row, usual);
    // No line can say that replicaof is not set.
    if (lines.empty()) lines = {absl::StrCat("# ", std::string(row->name))};
    std::string& part = row->Is(config::kNoEffect) ? accepted : serving;
    for (const std::string& line : lines) absl::StrAppend(&part, line, "\n");
  }
  return absl::StrCat(serving, "\n# Of Redis: checked, and without effect in this version.\n",
                      accepted);
}

std::string CheckedConfiguration(const ConfigStore& config) {
  std::string file = config.ConfigFile();
  std::string text = absl::StrCat(file.empty() ? "The configuration" : file, ": no errors found\n");
  for (const std::string& name : config.GivenWithoutEffect()) {
    absl::StrAppend(&text, "Accepted, but without effect in this version: ", name, "\n");
  }
  return text;
}

}  // namespace cloakroom
