#ifndef CLOAKROOM_REPLICATION_CHECK_CHECK_RDB_HELP_H_
#define CLOAKROOM_REPLICATION_CHECK_CHECK_RDB_HELP_H_

namespace cloakroom {

/// What `cloakroom-check-rdb --help` prints; see kServerHelp for its form.
inline constexpr char kCheckRdbHelp[] =
    R"(cloakroom-check-rdb: says whether an RDB file is whole, and what is in it

Usage:
  cloakroom-check-rdb FILE
  cloakroom-check-rdb --version

Arguments:
  FILE              a snapshot of Cloakroom, Redis or Valkey, as a rule dump.rdb; only read

Options:
  -v, --version     prints the version of Cloakroom

Exit status:
  0                 the file is whole
  1                 it is not, or cannot be read; the output says where it breaks off
)";

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_CHECK_CHECK_RDB_HELP_H_
