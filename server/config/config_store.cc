#include "server/config/config_store.h"

#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "server/config/config_file.h"
#include "server/config/grammar.h"
#include "server/config/text.h"
#include "server/context/errors.h"

namespace cloakroom {
namespace {

using config::Directive;
using config::Origin;
using config::Statement;
using config::Value;
using config::Wanted;

// The error for an unknown directive, with the one that was probably meant.
absl::Status UnknownDirective(const Statement& statement) {
  std::string reason = "Bad directive or wrong number of arguments";
  std::string_view meant = config::NearestWord(statement.words[0], config::DirectiveNames());
  if (!meant.empty()) reason += config::Cat("\nDid you mean '", meant, "'?");
  return config::FatalConfigError(statement, reason);
}

// All statements that a command line asks to read, in the order in which they apply.
absl::StatusOr<std::vector<Statement>> Gather(const CommandLine& line) {
  std::vector<Statement> all;
  auto append = [&all](std::vector<Statement> more) {
    std::ranges::move(more, std::back_inserter(all));
  };
  if (!line.config_file.empty()) {
    auto read = config::ReadConfigFile(line.config_file);
    if (!read.ok()) return read.status();
    append(*std::move(read));
  }
  if (line.read_stdin) {
    auto read = config::ReadConfigStream(std::cin, "(standard input)");
    if (!read.ok()) return read.status();
    append(*std::move(read));
  }
  for (const Statement& option : line.options) {
    if (option.words[0] != "include" || option.words.size() != 2) {
      append({option});
      continue;
    }
    auto read = config::ReadConfigFile(option.words[1]);
    if (!read.ok()) return read.status();
    append(*std::move(read));
  }
  return all;
}

bool HasWildCard(std::string_view pattern) { return pattern.find_first_of("*?[") != pattern.npos; }

bool Matches(std::string_view pattern, std::string_view name) {
  return fnmatch(std::string(pattern).c_str(), std::string(name).c_str(), FNM_CASEFOLD) == 0;
}

absl::Status SetFailed(std::string_view name, std::string_view reason) {
  return absl::InvalidArgumentError(
      config::Cat("ERR CONFIG SET failed (possibly related to argument '", name, "') - ", reason));
}

}  // namespace

ConfigStore::ConfigStore() {
  MutexLock lock(mutex_);
  for (Row row : config::AllDirectives()) {
    state_.values[row] = config::FromText(*row, config::DefaultText(*row));
  }
  at_load_ = state_.values;
}

absl::Status ConfigStore::Apply(const Statement& statement, Loaded& loaded) {
  Row row = config::FindDirective(statement.words[0]);
  if (row == nullptr) return UnknownDirective(statement);
  std::vector<std::string> words(statement.words.begin() + 1, statement.words.end());
  if (statement.included) loaded.included.insert(row);
  if (row->Is(config::kRepeatable)) {
    if (words.empty()) return UnknownDirective(statement);
    loaded.given.insert(row);
    loaded.repeated[row].push_back(std::move(words));
    return absl::OkStatus();
  }
  // The first line of a list that grows replaces the default instead of adding to it.
  bool grows = row->kind.type == config::Kind::kList &&
               row->kind.list->repeats == config::ListRule::kAppendInFile;
  bool is_first = loaded.given.insert(row).second;
  std::string current = grows && is_first ? "" : loaded.values[row].text;
  absl::StatusOr<Value> value = config::ParseWords(*row, words, current, Origin::kFile);
  if (!value.ok())
    return config::FatalConfigError(statement, std::string(value.status().message()));
  loaded.values[row] = *std::move(value);
  return absl::OkStatus();
}

absl::Status ConfigStore::Load(const CommandLine& line) {
  absl::StatusOr<std::vector<Statement>> statements = Gather(line);
  if (!statements.ok()) return statements.status();
  MutexLock change(changes_);
  Loaded loaded;
  for (Row row : config::AllDirectives()) {
    loaded.values[row] = config::FromText(*row, config::DefaultText(*row));
  }
  for (const Statement& statement : *statements) {
    if (absl::Status status = Apply(statement, loaded); !status.ok()) return status;
  }
  Put(loaded.values);
  MutexLock lock(mutex_);
  at_load_ = loaded.values;
  state_ = std::move(loaded);
  config_file_ = line.config_file;
  return absl::OkStatus();
}

std::string ConfigStore::Text(std::string_view name) const {
  MutexLock lock(mutex_);
  auto found = state_.values.find(config::FindDirective(name));
  return found == state_.values.end() ? std::string() : found->second.text;
}

std::vector<std::string> ConfigStore::Words(std::string_view name) const {
  return config::Split(Text(name), ' ');
}

std::vector<std::vector<std::string>> ConfigStore::Repeated(std::string_view name) const {
  MutexLock lock(mutex_);
  auto found = state_.repeated.find(config::FindDirective(name));
  return found == state_.repeated.end() ? Lines() : found->second;
}

std::vector<std::string> ConfigStore::GivenWithoutEffect() const {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (Row row : config::AllDirectives()) {
    bool is_idle = row->Is(config::kNoEffect) && state_.given.contains(row);
    if (is_idle) names.emplace_back(row->name);
  }
  return names;
}

std::string ConfigStore::ConfigFile() const {
  MutexLock lock(mutex_);
  return config_file_;
}

std::vector<std::pair<std::string, std::string>> ConfigStore::Get(
    absl::Span<const std::string_view> patterns) const {
  // The reply spells a name as the pattern that asked for it does.
  auto asked_by = [patterns](std::string_view name, bool is_hidden) -> std::string_view {
    for (std::string_view pattern : patterns) {
      if (!HasWildCard(pattern) && config::Lower(pattern) == name) return pattern;
      if (HasWildCard(pattern) && !is_hidden && Matches(pattern, name)) return name;
    }
    return {};
  };
  std::vector<std::pair<std::string, std::string>> answers;
  MutexLock lock(mutex_);
  for (Row row : config::AllDirectives()) {
    if (row->Is(config::kRepeatable)) continue;
    for (std::string_view name : {row->name, row->alias}) {
      std::string_view spelt = name.empty() ? name : asked_by(name, row->Is(config::kHidden));
      if (!spelt.empty()) answers.emplace_back(spelt, state_.values.at(row).text);
    }
  }
  return answers;
}

// Checks which names may be set, before it looks at any value.
absl::StatusOr<std::vector<ConfigStore::Assignment>> ConfigStore::ReadAssignments(
    absl::Span<const std::string_view> names_and_values, ConfigCaller caller) const {
  Allowed allowed = live_.enable_protected_configs;
  bool may_protected = allowed == Allowed::kYes || (allowed == Allowed::kLocal && caller.is_local);
  std::vector<Assignment> assignments;
  for (size_t i = 0; i + 1 < names_and_values.size(); i += 2) {
    Row row = config::FindDirective(names_and_values[i]);
    std::string name = config::Lower(names_and_values[i]);
    if (row == nullptr) {
      return absl::InvalidArgumentError(
          config::Cat("ERR Unknown option or number of arguments for CONFIG SET - '",
                      names_and_values[i], "'"));
    }
    if (row->Is(config::kImmutable)) return SetFailed(name, "can't set immutable config");
    if (row->Is(config::kProtected) && !may_protected) {
      return SetFailed(name, "can't set protected config");
    }
    if (row->Is(config::kNotWhileLoading) && caller.is_loading) {
      return Refused(kLoadingError);
    }
    if (std::ranges::find(assignments, name, &Assignment::name) != assignments.end()) {
      return SetFailed(name, "duplicate parameter");
    }
    assignments.push_back({row, std::move(name), names_and_values[i + 1]});
  }
  return assignments;
}

absl::Status ConfigStore::Set(absl::Span<const std::string_view> names_and_values,
                              ConfigCaller caller) {
  if (names_and_values.empty() || names_and_values.size() % 2 != 0) {
    return absl::InvalidArgumentError("ERR syntax error");
  }
  MutexLock change(changes_);
  absl::StatusOr<std::vector<Assignment>> assignments = ReadAssignments(names_and_values, caller);
  if (!assignments.ok()) return assignments.status();

  Values before, after;
  {
    MutexLock lock(mutex_);
    before = state_.values;
  }
  after = before;
  for (const Assignment& assignment : *assignments) {
    absl::StatusOr<Value> value =
        config::ParseWords(*assignment.row, {std::string(assignment.word)},
                           after[assignment.row].text, Origin::kConfigSet);
    if (!value.ok()) return SetFailed(assignment.name, std::string(value.status().message()));
    after[assignment.row] = *std::move(value);
  }
  std::erase_if(*assignments, [&before, &after](const Assignment& assignment) {
    return before[assignment.row].text == after[assignment.row].text;
  });
  Put(after);
  return Notify(*assignments, before);
}

absl::Status ConfigStore::Notify(const std::vector<Assignment>& changed, const Values& before) {
  std::vector<const Subscription*> called;
  for (const Subscription& subscription : subscriptions_) {
    auto concerns = [&subscription](const Assignment& assignment) {
      return std::ranges::find(subscription.rows, assignment.row) != subscription.rows.end();
    };
    auto assignment = std::ranges::find_if(changed, concerns);
    if (assignment == changed.end()) continue;
    if (const absl::Status refusal = subscription.apply(); !refusal.ok()) {
      Put(before);
      // They took the value once, so they take it again.
      for (const Subscription* earlier : called) earlier->apply().IgnoreError();
      return SetFailed(assignment->name, std::string(refusal.message()));
    }
    called.push_back(&subscription);
  }
  return absl::OkStatus();
}

void ConfigStore::Put(const Values& values) {
  MutexLock lock(mutex_);
  for (const auto& [row, value] : values) {
    if (row->publish != nullptr) row->publish(live_, value);
  }
  state_.values = values;
  // Not undone by a CONFIG SET that began before.
  for (const auto& [row, value] : noted_) state_.values[row] = value;
}

void ConfigStore::Note(std::string_view name, std::string_view text) {
  const Row row = config::FindDirective(name);
  MutexLock lock(mutex_);
  noted_[row] = state_.values[row] = config::FromText(*row, text);
}

void ConfigStore::Subscribe(std::vector<std::string> names, Subscriber subscriber) {
  Subscription subscription{{}, std::move(subscriber)};
  for (const std::string& name : names) subscription.rows.push_back(config::FindDirective(name));
  MutexLock lock(changes_);
  subscriptions_.push_back(std::move(subscription));
}

void ConfigStore::SetLineSource(std::string_view name, LineSource source) {
  MutexLock lock(changes_);
  line_sources_[config::FindDirective(name)] = std::move(source);
}

absl::flat_hash_map<ConfigStore::Row, Wanted> ConfigStore::WantedLines() {
  absl::flat_hash_map<Row, Wanted> all;
  // Before mutex_ is taken: a source may read the store.
  for (const auto& [row, source] : line_sources_) {
    all[row].lines = source();
    all[row].needed = true;
  }
  MutexLock lock(mutex_);
  for (Row row : config::AllDirectives()) {
    if (row->Is(config::kRepeatable)) continue;  // from a source, or left as it is
    const Value& value = state_.values.at(row);
    const Value usual = config::FromText(*row, config::DefaultText(*row));
    Wanted wanted;
    wanted.value = value;
    wanted.lines = config::FileLines(*row, value);
    wanted.usual = config::FileLines(*row, usual);
    wanted.needed = value.text != usual.text || row->Is(config::kAlwaysWritten);
    if (state_.included.contains(row)) {
      bool changed = value.text != at_load_.at(row).text;
      wanted.place = changed ? Wanted::kAtTheEnd : Wanted::kAsItIs;
      wanted.needed = changed;
    }
    all[row] = std::move(wanted);
  }
  return all;
}

absl::Status ConfigStore::Rewrite() {
  MutexLock change(changes_);
  std::string path = ConfigFile();
  if (path.empty()) {
    return absl::FailedPreconditionError("ERR The server is running without a config file");
  }
  std::ifstream in(path);
  std::string original{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  absl::Status written =
      config::ReplaceFile(path, config::RewrittenConfig(original, WantedLines()));
  if (written.ok()) return written;
  return absl::Status(written.code(),
                      config::Cat("ERR Rewriting config file: ", std::string(written.message())));
}

}  // namespace cloakroom
