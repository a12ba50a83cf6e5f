#ifndef CLOAKROOM_CLIENTS_DRILL_HELP_H_
#define CLOAKROOM_CLIENTS_DRILL_HELP_H_

namespace cloakroom::drill {

/// What `cloakroom-drill --help` prints; see kServerHelp for its form.
inline constexpr char kDrillHelp[] =
    R"(cloakroom-drill: says whether a failover would succeed, and rehearses one

Usage:
  cloakroom-drill check WHERE [--seconds N] [--away N] [--json]
  cloakroom-drill run WHERE --how HOW --i-mean NAME [OPTIONS]
  cloakroom-drill --version

Where:
  --sentinel HOST:PORT ...  Sentinels to ask; name all of them
  --master NAME     the primary's name in the Sentinels' line 'sentinel monitor'
  --primary HOST:PORT
                    a primary without Sentinels, instead of the two above
  --user NAME       the servers' user, if it is not the default one
  --password WORD   the servers' password; better the variable CLOAKROOM_DRILL_PASSWORD
  --sentinel-user NAME
                    the Sentinels' user
  --sentinel-password WORD
                    the Sentinels' password; better the variable CLOAKROOM_DRILL_SENTINEL_PASSWORD

Options of check:
  --seconds N       how long the rate of writes is measured; 5. Check in a busy hour
  --away N          the seconds that a replica is to be able to be away; 60
  --json            prints one JSON object

How:
  graceful          FAILOVER; with Sentinels, SENTINEL FAILOVER while writes are paused
  sentinel          SENTINEL FAILOVER without a pause, as an operator types it
  kill              SHUTDOWN NOSAVE NOW FORCE, or --kill-command
  freeze            DEBUG SLEEP for --hold seconds, which needs 'enable-debug-command yes'; with
                    Cloakroom, where that delays only one client, CLIENT PAUSE ALL
  cut               --cut-command, and --heal-command after --hold seconds

Options of run:
  --how HOW         what happens to the primary, from the list above
  --i-mean NAME     the master's name, or the primary's HOST:PORT, once more; without it run only
                    says what it would do
  --live            other clients may be connected; demands that check finds all ok, and a replica
                    less than a second behind
  --back            makes the first primary the primary again at the end
  --clients N       clients that visit their sessions; 50. A third each asks for nothing more than
                    the reply, for WAIT 1, and for WAITAOF 1 1
  --rate N          visits of each client in a second; 5
  --database N      the database of their sessions; 2
  --at HOST:PORT    a fixed address at which clients look for the primary: a virtual address or a
                    proxy; otherwise they ask the Sentinels, or every server for its role
  --timeout-ms N    how long a client waits for a connection and for a reply; 2500
  --before N        seconds of visits before it happens; 10
  --after N         seconds of visits after all clients are back; 10
  --limit N         seconds after which clients that are not back are given up; 60
  --hold N          seconds until --heal-command runs, and the length of a freeze; 15
  --kill-command C  for the shell, instead of SHUTDOWN; it finds DRILL_HOST and DRILL_PORT
  --cut-command C   cuts the primary from the network
  --heal-command C  undoes that; after a kill, starts the primary again
  --report PREFIX   where PREFIX.json, PREFIX.html and PREFIX.ledger go; drill-RUN

Exit status of check:
  0                 all is ok
  1                 there are warnings
  2                 something failed
  3                 wrong arguments, or no Sentinel names a primary

Exit status of run:
  0                 all clients came back, and no write that WAIT or WAITAOF acknowledged was lost
  1                 not so; the report says what happened
  2                 nothing was done to the primary: refused, not meant, or not ready
  3                 wrong arguments
  130               interrupted; what was begun has been ended
)";

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_HELP_H_
