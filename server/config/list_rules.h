#ifndef CLOAKROOM_SERVER_CONFIG_LIST_RULES_H_
#define CLOAKROOM_SERVER_CONFIG_LIST_RULES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config/config.h"

namespace cloakroom::config {

/// How a directive that takes several words reads and writes them. Pure functions.
struct ListRule {
  /// Whether later words replace the value, add to it (further lines of one file), or change part
  /// of it.
  enum Repeats { kReplace, kAppendInFile, kOverlay };
  Repeats repeats;
  /// The canonical text, words separated by one space; `current` is empty or in that form.
  absl::StatusOr<std::string> (*parse)(const std::vector<std::string>& words,
                                       std::string_view current);
  /// The lines of a configuration file that set the value to `text`.
  std::vector<std::string> (*lines)(std::string_view name, std::string_view text);
};

extern const ListRule kSaveRule;         // save: "seconds changes" pairs
extern const ListRule kBindRule;         // bind: at most 16 addresses
extern const ListRule kOutputLimitRule;  // client-output-buffer-limit: three classes
extern const ListRule kOomScoreRule;     // oom-score-adj-values: three numbers
extern const ListRule kPercentilesRule;  // latency-tracking-info-percentiles
extern const ListRule kReplicaOfRule;    // replicaof: host port, or no one
extern const ListRule kShutdownRule;     // shutdown-on-sigint, -sigterm
extern const ListRule kNotifyRule;       // notify-keyspace-events: one word of letters

/// Writes client-output-buffer-limit's canonical text to the live fields.
void PublishOutputLimits(Config& config, std::string_view text);

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_LIST_RULES_H_
