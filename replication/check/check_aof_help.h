#ifndef CLOAKROOM_REPLICATION_CHECK_CHECK_AOF_HELP_H_
#define CLOAKROOM_REPLICATION_CHECK_CHECK_AOF_HELP_H_

namespace cloakroom {

/// What `cloakroom-check-aof --help` prints; see kServerHelp for its form.
inline constexpr char kCheckAofHelp[] =
    R"(cloakroom-check-aof: says whether an append-only log is whole, and mends its end

Usage:
  cloakroom-check-aof [--fix | --truncate-to-timestamp SECONDS] FILE
  cloakroom-check-aof --version

Arguments:
  FILE              a manifest (appendonly.aof.manifest) with all files that it names, or one file

Options:
  --fix             cuts off what follows the last whole command
  --truncate-to-timestamp SECONDS
                    cuts off what was written later, by the notes of aof-timestamp-enabled
  -v, --version     prints the version of Cloakroom

Exit status:
  0                 the log is whole, or has been mended
  1                 it is not, or cannot be read; the output says where it breaks off
)";

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_CHECK_CHECK_AOF_HELP_H_
