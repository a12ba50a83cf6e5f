#include "clients/drill/options.h"

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

/// More visits a second than this need a load generator of another kind.
constexpr int64_t kMaxVisitsPerSecond = 2000;
constexpr int64_t kMaxSeconds = 600;

constexpr std::array<std::pair<std::string_view, How>, 5> kHows = {{{"graceful", How::kGraceful},
                                                                    {"kill", How::kKill},
                                                                    {"freeze", How::kFreeze},
                                                                    {"cut", How::kCut},
                                                                    {"sentinel", How::kSentinel}}};

absl::Status Wrong(std::initializer_list<std::string_view> parts) {
  return absl::InvalidArgumentError(Concat(parts));
}

/// A pass over the arguments, which remembers the first error.
class Parser {
 public:
  explicit Parser(std::span<const std::string_view> arguments) : arguments_(arguments) {}

  absl::StatusOr<Options> Parse();

 private:
  bool More() const { return at_ < arguments_.size() && status_.ok(); }
  void Fail(std::initializer_list<std::string_view> parts) {
    if (status_.ok()) status_ = Wrong(parts);
  }

  std::string Value();
  int64_t Number(int64_t least, int64_t most);
  Address OneAddress();

  void TakeTask();
  bool TakeWhere();
  bool TakeCheck();
  bool TakeRun();
  bool TakeCommand();
  void TakeHow();
  void CheckWhere();
  void CheckRun();

  const std::span<const std::string_view> arguments_;
  size_t at_ = 0;
  std::string_view name_;  // the option under way
  absl::Status status_;
  Options options_;
  bool has_primary_ = false;
  bool has_how_ = false;
  bool has_hold_ = false;
};

std::string Parser::Value() {
  if (at_ == arguments_.size()) {
    Fail({name_, " needs a value"});
    return "";
  }
  return std::string(arguments_[at_++]);
}

int64_t Parser::Number(int64_t least, int64_t most) {
  const std::string text = Value();
  const std::optional<int64_t> number = ParseInteger(text);
  if (number && *number >= least && *number <= most) return *number;
  Fail({name_, " takes a number from ", std::to_string(least), " to ", std::to_string(most),
        ", not '", text, "'"});
  return least;
}

Address Parser::OneAddress() {
  const std::string text = Value();
  std::optional<Address> address = ParseAddress(text);
  if (!address) Fail({name_, " takes HOST:PORT, not '", text, "'"});
  return address.value_or(Address());
}

void Parser::TakeTask() {
  const std::string_view word = arguments_.empty() ? "--help" : arguments_[0];
  at_ = 1;
  if (word == "-h" || word == "--help") {
    options_.task = Options::Task::kHelp;
  } else if (word == "-v" || word == "--version") {
    options_.task = Options::Task::kVersion;
  } else if (word == "check") {
    options_.task = Options::Task::kCheck;
  } else if (word == "run") {
    options_.task = Options::Task::kRun;
  } else {
    Fail({"the first argument is check or run, not '", word, "'"});
  }
}

bool Parser::TakeWhere() {
  Where& where = options_.where;
  if (name_ == "--sentinel") {
    do {
      where.sentinels.push_back(OneAddress());
    } while (More() && !arguments_[at_].starts_with("--"));
  } else if (name_ == "--master") {
    where.master = Value();
  } else if (name_ == "--primary") {
    where.primary = OneAddress();
    has_primary_ = true;
  } else if (name_ == "--user") {
    where.login.user = Value();
  } else if (name_ == "--password") {
    where.login.password = Value();
  } else if (name_ == "--sentinel-user") {
    where.sentinel_login.user = Value();
  } else if (name_ == "--sentinel-password") {
    where.sentinel_login.password = Value();
  } else {
    return false;
  }
  return true;
}

bool Parser::TakeCheck() {
  CheckOptions& check = options_.check;
  if (name_ == "--seconds") {
    check.seconds = Number(1, kMaxSeconds);
  } else if (name_ == "--away") {
    check.away_s = Number(1, 86'400);
  } else if (name_ == "--json") {
    check.json = true;
  } else {
    return false;
  }
  return true;
}

void Parser::TakeHow() {
  const std::string text = Value();
  for (const auto& [name, how] : kHows) {
    if (name != text) continue;
    options_.run.how = how;
    has_how_ = true;
    return;
  }
  Fail({"--how takes graceful, kill, freeze, cut or sentinel, not '", text, "'"});
}

bool Parser::TakeCommand() {
  RunOptions& run = options_.run;
  if (name_ == "--kill-command") {
    run.kill_command = Value();
  } else if (name_ == "--cut-command") {
    run.cut_command = Value();
  } else if (name_ == "--heal-command") {
    run.heal_command = Value();
  } else if (name_ == "--report") {
    run.report = Value();
  } else if (name_ == "--i-mean") {
    run.i_mean = Value();
  } else if (name_ == "--live") {
    run.live = true;
  } else if (name_ == "--back") {
    run.back = true;
  } else {
    return false;
  }
  return true;
}

bool Parser::TakeRun() {
  RunOptions& run = options_.run;
  if (name_ == "--how") {
    TakeHow();
  } else if (name_ == "--at") {
    run.at = OneAddress();
  } else if (name_ == "--clients") {
    run.clients = Number(1, 1000);
  } else if (name_ == "--rate") {
    run.rate = Number(1, 100);
  } else if (name_ == "--database") {
    run.database = Number(0, INT32_MAX);
  } else if (name_ == "--before") {
    run.before_s = Number(1, kMaxSeconds);
  } else if (name_ == "--after") {
    run.after_s = Number(1, kMaxSeconds);
  } else if (name_ == "--limit") {
    run.limit_s = Number(1, kMaxSeconds);
  } else if (name_ == "--hold") {
    run.hold_s = Number(1, kMaxSeconds);
    has_hold_ = true;
  } else if (name_ == "--timeout-ms") {
    run.timeout_ms = Number(50, 60'000);
  } else {
    return TakeCommand();
  }
  return true;
}

void Parser::CheckWhere() {
  Where& where = options_.where;
  if (where.has_sentinels() == has_primary_) {
    Fail(
        {"say which servers are meant: either --sentinel HOST:PORT and --master NAME, "
         "or --primary HOST:PORT"});
  }
  if (where.has_sentinels() && where.master.empty()) {
    Fail({"--sentinel needs --master NAME, the name in the Sentinels' line 'sentinel monitor'"});
  }
  if (has_primary_ && !where.master.empty()) Fail({"--master belongs to --sentinel"});
  const Credentials& sentinel = where.sentinel_login;
  if (has_primary_ && !(sentinel.user + sentinel.password).empty()) {
    Fail({"--sentinel-user and --sentinel-password belong to --sentinel"});
  }
}

void Parser::CheckRun() {
  const RunOptions& run = options_.run;
  const bool sentinels = options_.where.has_sentinels();
  if (!has_how_) Fail({"run needs --how graceful, kill, freeze, cut or sentinel"});
  if (run.clients * run.rate > kMaxVisitsPerSecond) {
    Fail({"--clients times --rate is at most ", std::to_string(kMaxVisitsPerSecond),
          " visits a second"});
  }
  if (run.how == How::kSentinel && !sentinels) Fail({"--how sentinel needs --sentinel"});
  if (run.how == How::kCut && (run.cut_command.empty() || run.heal_command.empty())) {
    Fail({"--how cut needs --cut-command and --heal-command"});
  }
  if (run.how == How::kKill && !sentinels && run.heal_command.empty()) {
    Fail(
        {"without Sentinels nobody promotes a replica of a killed primary: --how kill needs a "
         "--heal-command that promotes one or starts the primary again"});
  }
  if (run.how != How::kCut && !run.cut_command.empty()) Fail({"--cut-command needs --how cut"});
  if (run.how != How::kKill && !run.kill_command.empty()) Fail({"--kill-command needs --how kill"});
  if (run.how != How::kCut && run.how != How::kKill && !run.heal_command.empty()) {
    Fail({"--heal-command needs --how cut or kill"});
  }
  if (has_hold_ && run.how != How::kFreeze && run.heal_command.empty()) {
    Fail({"--hold needs --how freeze, or a --heal-command"});
  }
}

absl::StatusOr<Options> Parser::Parse() {
  TakeTask();
  const bool check = options_.task == Options::Task::kCheck;
  const bool run = options_.task == Options::Task::kRun;
  while (More()) {
    name_ = arguments_[at_++];
    if ((check || run) && (name_ == "-h" || name_ == "--help")) {
      options_.task = Options::Task::kHelp;
      return std::move(options_);
    }
    const bool known =
        ((check || run) && TakeWhere()) || (check && TakeCheck()) || (run && TakeRun());
    if (!known) Fail({"there is no option '", name_, "' here"});
  }
  if (check || run) CheckWhere();
  if (run) CheckRun();
  if (!status_.ok()) return status_;
  return std::move(options_);
}

}  // namespace

std::string_view ToText(How how) {
  for (const auto& [name, each] : kHows) {
    if (each == how) return name;
  }
  return "";
}

absl::StatusOr<Options> ParseOptions(std::span<const std::string_view> arguments,
                                     const std::function<std::string(const char* name)>& variable) {
  absl::StatusOr<Options> options = Parser(arguments).Parse();
  if (!options.ok()) return options;
  Where& where = options->where;
  if (where.login.password.empty()) where.login.password = variable(kPasswordVariable);
  if (where.sentinel_login.password.empty()) {
    where.sentinel_login.password = variable(kSentinelPasswordVariable);
  }
  if (!where.login.user.empty() && where.login.password.empty()) {
    return Wrong({"--user needs a password: --password, or the variable ", kPasswordVariable});
  }
  if (!where.sentinel_login.user.empty() && where.sentinel_login.password.empty()) {
    return Wrong({"--sentinel-user needs a password: --sentinel-password, or the variable ",
                  kSentinelPasswordVariable});
  }
  return options;
}

}  // namespace cloakroom::drill
