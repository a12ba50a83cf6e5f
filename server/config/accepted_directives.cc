// Directives of Redis 7 that have no effect in this server yet. They are checked, kept and shown,
// so that a redis.conf works unchanged; the server log names those that a file sets. When one gets
// an effect, its row moves to serving_directives.cc.
#include <algorithm>
#include <climits>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "server/config/directive.h"

namespace cloakroom::config {
namespace {

constexpr Choice kAclPubsubDefault[] = {{"allchannels", 0}, {"resetchannels", 1}};
constexpr Choice kClusterPreferredEndpointType[] = {
    {"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}};
constexpr Choice kPropagationErrorBehavior[] = {
    {"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}};
constexpr Choice kTlsAuthClients[] = {{"no", 0}, {"yes", 1}, {"optional", 2}};
// yes is the older name of relative, and the one that Redis replies.
constexpr Choice kOomScoreAdj[] = {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}};

absl::StatusOr<std::string> MustBeHostname(std::string_view name) {
  constexpr size_t kLongest = 255;
  if (name.size() > kLongest)
    return absl::InvalidArgumentError("Hostnames must be less than 256 characters");
  for (char letter : name) {
    if (!absl::ascii_isalnum(letter) && letter != '-' && letter != '.') {
      return absl::InvalidArgumentError(
          "Hostnames may only contain alphanumeric characters, hyphens or dots");
    }
  }
  return std::string(name);
}

absl::StatusOr<std::string> MustNameKnownVariables(std::string_view text) {
  constexpr std::string_view kKnown[] = {"title",    "listen-addr", "server-mode", "port",
                                         "tls-port", "unixsocket",  "config-file"};
  if (text.empty())
    return absl::InvalidArgumentError("template format is invalid or contains unknown variables");
  std::string_view rest = text;
  for (size_t open = rest.find('{'); open != rest.npos; open = rest.find('{')) {
    size_t close = rest.find('}', open);
    std::string_view name = rest.substr(open + 1, close - open - 1);
    bool is_known = std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
    if (close == rest.npos || !is_known) {
      return absl::InvalidArgumentError("template format is invalid or contains unknown variables");
    }
    rest.remove_prefix(close + 1);
  }
  return std::string(text);
}

const Directive kAcceptedRows[] = {
    // Saving.
    {"rdb-del-sync-files", "", YesNo(), "no", kNoEffect},

    // The append-only log.
    {"aof-disable-auto-gc", "", YesNo(), "no", kNoEffect},

    // Replication.
    {"propagation-error-behavior", "", OneOf(kPropagationErrorBehavior), "ignore", kNoEffect},
    {"repl-disable-tcp-nodelay", "", YesNo(), "no", kNoEffect},
    {"replica-ignore-disk-write-errors", "", YesNo(), "no", kNoEffect},
    {"replica-lazy-flush", "slave-lazy-flush", YesNo(), "no", kNoEffect},

    // Clusters.
    {"cluster-allow-pubsubshard-when-down", "", YesNo(), "yes", kNoEffect},
    {"cluster-allow-reads-when-down", "", YesNo(), "no", kNoEffect},
    {"cluster-allow-replica-migration", "", YesNo(), "yes", kNoEffect},
    {"cluster-announce-bus-port", "", Integer(0, 65535), "0", kNoEffect},
    {"cluster-announce-hostname", "", Text(MustBeHostname), "", kNoEffect},
    {"cluster-announce-human-nodename", "", Text(MustBeHostname), "", kNoEffect},
    {"cluster-announce-ip", "", Text(), "", kNoEffect},
    {"cluster-announce-port", "", Integer(0, 65535), "0", kNoEffect},
    {"cluster-announce-tls-port", "", Integer(0, 65535), "0", kNoEffect},
    {"cluster-config-file", "", Text(), "nodes.conf", kImmutable | kNoEffect},
    {"cluster-enabled", "", YesNo(), "no", kImmutable | kNoEffect},
    {"cluster-link-sendbuf-limit", "", Memory(), "0", kNoEffect},
    {"cluster-migration-barrier", "", Integer(0, INT_MAX), "1", kNoEffect},
    {"cluster-node-timeout", "", Integer(0, INT64_MAX), "15000", kNoEffect},
    {"cluster-ping-interval", "", Integer(0, INT_MAX), "1000", kHidden | kNoEffect},
    {"cluster-port", "", Integer(0, 65535), "0", kImmutable | kNoEffect},
    {"cluster-preferred-endpoint-type", "", OneOf(kClusterPreferredEndpointType), "ip", kNoEffect},
    {"cluster-replica-no-failover", "cluster-slave-no-failover", YesNo(), "no", kNoEffect},
    {"cluster-replica-validity-factor", "cluster-slave-validity-factor", Integer(0, INT_MAX), "10",
     kNoEffect},
    {"cluster-require-full-coverage", "", YesNo(), "yes", kNoEffect},

    // TLS.
    {"tls-auth-clients", "", OneOf(kTlsAuthClients), "yes", kNoEffect},
    {"tls-ca-cert-dir", "", Text(), "", kNoEffect},
    {"tls-ca-cert-file", "", Text(), "", kNoEffect},
    {"tls-cert-file", "", Text(), "", kNoEffect},
    {"tls-ciphers", "", Text(), "", kNoEffect},
    {"tls-ciphersuites", "", Text(), "", kNoEffect},
    {"tls-client-cert-file", "", Text(), "", kNoEffect},
    {"tls-client-key-file", "", Text(), "", kNoEffect},
    {"tls-client-key-file-pass", "", Text(), "", kNoEffect},
    {"tls-cluster", "", YesNo(), "no", kNoEffect},
    {"tls-dh-params-file", "", Text(), "", kNoEffect},
    {"tls-key-file", "", Text(), "", kNoEffect},
    {"tls-key-file-pass", "", Text(), "", kNoEffect},
    {"tls-port", "", Integer(0, 65535), "0", kNoEffect},
    {"tls-prefer-server-ciphers", "", YesNo(), "no", kNoEffect},
    {"tls-protocols", "", Text(), "", kNoEffect},
    {"tls-replication", "", YesNo(), "no", kNoEffect},
    {"tls-session-cache-size", "", Integer(0, INT_MAX), "20480", kNoEffect},
    {"tls-session-cache-timeout", "", Integer(0, INT_MAX), "300", kNoEffect},
    {"tls-session-caching", "", YesNo(), "yes", kNoEffect},

    // Data types and memory.
    {"active-defrag-cycle-max", "", Integer(1, 99), "25", kNoEffect},
    {"active-defrag-cycle-min", "", Integer(1, 99), "1", kNoEffect},
    {"active-defrag-ignore-bytes", "", Memory(1), "104857600", kNoEffect},
    {"active-defrag-max-scan-fields", "", Integer(1, INT64_MAX), "1000", kNoEffect},
    {"active-defrag-threshold-lower", "", Integer(0, 1000), "10", kNoEffect},
    {"active-defrag-threshold-upper", "", Integer(0, 1000), "100", kNoEffect},
    {"activedefrag", "", YesNo(), "no", kNoEffect},
    {"active-expire-effort", "", Integer(1, 10), "1", kNoEffect},
    {"activerehashing", "", YesNo(), "yes", kNoEffect},
    {"dynamic-hz", "", YesNo(), "yes", kNoEffect},
    {"jemalloc-bg-thread", "", YesNo(), "yes", kNoEffect},
    {"key-load-delay", "", Integer(INT_MIN, INT_MAX), "0", kHidden | kNoEffect},
    {"lazyfree-lazy-eviction", "", YesNo(), "no", kNoEffect},
    {"lazyfree-lazy-expire", "", YesNo(), "no", kNoEffect},
    {"lazyfree-lazy-server-del", "", YesNo(), "no", kNoEffect},
    {"lazyfree-lazy-user-del", "", YesNo(), "no", kNoEffect},
    {"lazyfree-lazy-user-flush", "", YesNo(), "no", kNoEffect},
    {"list-compress-depth", "", Integer(0, INT_MAX), "0", kNoEffect},
    {"list-max-ziplist-entries", "", Text(), "", kImmutable | kHidden | kNoEffect},
    {"list-max-ziplist-value", "", Text(), "", kImmutable | kHidden | kNoEffect},
    {"maxmemory-eviction-tenacity", "", Integer(0, 100), "10", kNoEffect},

    // The process.
    {"acl-pubsub-default", "", OneOf(kAclPubsubDefault), "resetchannels", kNoEffect},
    {"aclfile", "", Text(), "", kImmutable | kNoEffect},
    {"acllog-max-len", "", Integer(0, INT64_MAX), "128", kNoEffect},
    {"always-show-logo", "", YesNo(), "no", kImmutable | kNoEffect},
    {"aof_rewrite_cpulist", "", Text(), "", kImmutable | kNoEffect},
    {"bgsave_cpulist", "", Text(), "", kImmutable | kNoEffect},
    {"bind-source-addr", "", Text(), "", kNoEffect},
    {"bio_cpulist", "", Text(), "", kImmutable | kNoEffect},
    {"crash-log-enabled", "", YesNo(), "yes", kNoEffect},
    {"crash-memcheck-enabled", "", YesNo(), "yes", kNoEffect},
    {"enable-module-command", "", OneOf(kAllowedChoices), "no", kImmutable | kNoEffect},
    {"ignore-warnings", "", Text(), "", kNoEffect},
    {"io-threads-do-reads", "", YesNo(), "no", kImmutable | kNoEffect},
    {"loadmodule", "", Text(), "", kImmutable | kHidden | kNoEffect | kRepeatable},
    {"locale-collate", "", Text(), "", kNoEffect},
    {"lua-enable-deprecated-api", "", YesNo(), "no", kImmutable | kHidden | kNoEffect},
    {"lua-replicate-commands", "", Text(), "", kImmutable | kHidden | kNoEffect},
    {"oom-score-adj", "", OneOf(kOomScoreAdj), "no", kNoEffect},
    {"oom-score-adj-values", "", List(kOomScoreRule), "0 200 800", kNoEffect},
    {"proc-title-template", "", Text(MustNameKnownVariables), "{title} {listen-addr} {server-mode}",
     kNoEffect},
    {"server_cpulist", "", Text(), "", kImmutable | kNoEffect},
    {"set-proc-title", "", YesNo(), "yes", kImmutable | kNoEffect},
    {"socket-mark-id", "", Integer(0, UINT_MAX), "0", kImmutable | kNoEffect},
    {"use-exit-on-panic", "", YesNo(), "no", kHidden | kNoEffect},
};

}  // namespace

absl::Span<const Directive> AcceptedDirectives() { return kAcceptedRows; }

}  // namespace cloakroom::config
