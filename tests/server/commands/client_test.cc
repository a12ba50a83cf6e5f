#include "server/context/pause.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

class ClientTest : public ServerTest {
 protected:
  std::string Id(const std::string& name) { return std::to_string(ClientNamed(name).id); }
};

TEST_F(ClientTest, InfoHasTheFieldsOfRedis72InOrder) {
  Advance(2500);
  std::string id = Id("");
  Run("CLIENT SETINFO LIB-NAME lib");
  Advance(3000);
  std::string line = Run("CLIENT INFO");
  std::string fields;
  for (size_t at = line.find("id="); at < line.size(); at = line.find(' ', at) + 1) {
    fields += line.substr(at, line.find('=', at) - at) + " ";
    if (line.find(' ', at) == line.npos) break;
  }
  EXPECT_EQ(fields,
            "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem "
            "multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver ");
  EXPECT_NE(line.find("id=" + id + " addr=127.0.0.1:50000 laddr=127.0.0.1:6379 "), line.npos);
  EXPECT_NE(line.find(" age=3 "), line.npos);
  EXPECT_NE(line.find(" user=default redir=-1 resp=2 lib-name=lib lib-ver=\n"), line.npos);
}

TEST_F(ClientTest, FlagsTellWhatAClientDoes) {
  EXPECT_NE(Run("CLIENT INFO").find(" flags=N "), std::string::npos);
  Run("CLIENT NO-EVICT ON");
  Run("CLIENT NO-TOUCH ON");
  EXPECT_NE(Run("CLIENT INFO").find(" flags=eT "), std::string::npos);
  RunAs("m", "MONITOR");
  RunAs("s", "SUBSCRIBE a");
  RunAs("x", "MULTI");
  EXPECT_NE(Run("CLIENT LIST ID " + Id("m")).find(" flags=O "), std::string::npos);
  EXPECT_NE(Run("CLIENT LIST ID " + Id("s")).find(" flags=P "), std::string::npos);
  EXPECT_NE(Run("CLIENT LIST ID " + Id("x")).find(" flags=x db=0 sub=0 psub=0 ssub=0 multi=0 "),
            std::string::npos);
}

TEST_F(ClientTest, ListChoosesByIdAndType) {
  Id("");
  RunAs("s", "SUBSCRIBE a");
  std::string all = Run("CLIENT LIST");
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 4);  // two clients, and the bulk's own two
  EXPECT_NE(Run("CLIENT LIST TYPE pubsub").find("id=" + Id("s") + " "), std::string::npos);
  EXPECT_EQ(Run("CLIENT LIST TYPE pubsub").find("id=" + Id("") + " "), std::string::npos);
  EXPECT_EQ(Run("CLIENT LIST TYPE replica"), "$0\r\n\r\n");
  EXPECT_EQ(Run("CLIENT LIST ID 999 0 -1"), "$0\r\n\r\n");
}

TEST_F(ClientTest, ListTakesValkeysFilters) {
  Id("");
  Id("far");
  ClientNamed("far").address = "10.0.0.1:5";
  RunAs("far", "CLIENT SETNAME worker");
  RunAs("far", "CLIENT SETINFO LIB-NAME lib");
  RunAs("far", "CLIENT SETINFO LIB-VER 1.2");
  RunAs("far", "SELECT 3");
  RunAs("far", "CLIENT NO-EVICT ON");
  const std::string far = "id=" + Id("far") + " ";
  const std::string near = "id=" + Id("") + " ";
  for (std::string_view filter :
       {"IP 10.0.0.1", "ADDR 10.0.0.1:5", "NAME worker", "LIB-NAME lib", "LIB-VER 1.2", "DB 3",
        "FLAGS e", "SKIPME yes", "USER default NAME worker", "NAME worker TYPE normal"}) {
    const std::string listed = Run("CLIENT LIST " + std::string(filter));
    EXPECT_NE(listed.find(far), std::string::npos) << filter;
    EXPECT_EQ(listed.find(near), std::string::npos) << filter;
  }
  for (const std::string& filter :
       {"NOT-IP 10.0.0.1"s, "NOT-ADDR 10.0.0.1:5"s, "NOT-NAME worker"s, "NOT-LIB-NAME lib"s,
        "NOT-LIB-VER 1.2"s, "NOT-DB 3"s, "NOT-FLAGS e"s, "NOT-ID " + Id("far"),
        "NOT-CAPA r NOT-DB 3"s, "ID " + Id("") + " " + Id("far") + " NOT-DB 3"}) {
    const std::string listed = Run("CLIENT LIST " + filter);
    EXPECT_EQ(listed.find(far), std::string::npos) << filter;
    EXPECT_NE(listed.find(near), std::string::npos) << filter;
  }
  EXPECT_EQ(Run("CLIENT LIST NOT-TYPE normal"), "$0\r\n\r\n");
  EXPECT_EQ(Run("CLIENT LIST NOT-USER default"), "$0\r\n\r\n");
  EXPECT_EQ(Run("CLIENT LIST CAPA r"), "$0\r\n\r\n");
  Advance(10'000);
  ClientNamed("").last_ms = now_ms();
  EXPECT_EQ(Run("CLIENT LIST IDLE 10").find(near), std::string::npos);
  EXPECT_NE(Run("CLIENT LIST IDLE 10").find(far), std::string::npos);
}

TEST_F(ClientTest, KillTakesTheSameFilters) {
  Id("");
  RunAs("far", "CLIENT SETNAME worker");
  EXPECT_EQ(Run("CLIENT KILL NOT-NAME worker"), ":0\r\n");
  EXPECT_EQ(Run("CLIENT KILL ID " + Id("") + " " + Id("far") + " DB 0"), ":1\r\n");
  EXPECT_TRUE(LinkOf("far").killed);
}

TEST_F(ClientTest, FiltersAreChecked) {
  EXPECT_EQ(Run("CLIENT LIST FLAGS ~"), "-ERR Unknown flags found in the provided filter: ~\r\n");
  EXPECT_EQ(Run("CLIENT LIST NOT-FLAGS ~"),
            "-ERR Unknown flags found in the NOT-FLAGS filter: ~\r\n");
  EXPECT_EQ(Run("CLIENT LIST CAPA x"), "-ERR Unknown capa found in the provided filter: x\r\n");
  EXPECT_EQ(Run("CLIENT LIST IDLE x"), "-ERR idle is not an integer or out of range\r\n");
  EXPECT_EQ(Run("CLIENT LIST MAXAGE 0"), "-ERR maxage should be greater than 0\r\n");
  EXPECT_EQ(Run("CLIENT LIST DB 16"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("CLIENT LIST NOT-MAXAGE 5"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("CLIENT LIST ID 1 foo"), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(Run("CLIENT KILL ID 1 foo"), "-ERR syntax error\r\n");
}

TEST_F(ClientTest, ListRefusesWhatItCannotRead) {
  EXPECT_EQ(Run("CLIENT LIST TYPE foo"), "-ERR Unknown client type 'foo'\r\n");
  EXPECT_EQ(Run("CLIENT LIST ID a"), "-ERR Invalid client ID\r\n");
  for (std::string_view line :
       {"CLIENT LIST ID", "CLIENT LIST TYPE", "CLIENT LIST foo", "CLIENT LIST TYPE normal foo"}) {
    EXPECT_EQ(Run(line), "-ERR syntax error\r\n") << line;
  }
}

TEST_F(ClientTest, KillByAddressInTheOldForm) {
  ClientNamed("far").address = "10.0.0.1:5";
  EXPECT_EQ(Run("CLIENT KILL 10.0.0.1:6"), "-ERR No such client\r\n");
  EXPECT_EQ(Run("CLIENT KILL 10.0.0.1:5"), "+OK\r\n");
  EXPECT_TRUE(LinkOf("far").killed);
  EXPECT_FALSE(LinkOf("").killed);
}

TEST_F(ClientTest, KillByFiltersAllOfWhichMustHold) {
  Id("");
  ClientNamed("far").address = "10.0.0.1:5";
  EXPECT_EQ(Run("CLIENT KILL ADDR 10.0.0.1:5 TYPE pubsub"), ":0\r\n");
  EXPECT_EQ(Run("CLIENT KILL ID " + Id("far") + " LADDR 127.0.0.1:6379"), ":1\r\n");
  EXPECT_TRUE(LinkOf("far").killed);
}

TEST_F(ClientTest, KillSparesTheCallerUnlessAskedNotTo) {
  EXPECT_EQ(Run("CLIENT KILL TYPE normal"), ":0\r\n");
  EXPECT_EQ(Run("CLIENT KILL ID " + Id("") + " SKIPME no"), ":1\r\n");
  EXPECT_TRUE(ClientNamed("").close_after_reply);
  EXPECT_FALSE(LinkOf("").killed);  // so the client gets the reply
}

TEST_F(ClientTest, KillByAge) {
  Id("old");
  Advance(10'000);
  Id("young");
  EXPECT_EQ(RunAs("young", "CLIENT KILL MAXAGE 10"), ":1\r\n");
  EXPECT_TRUE(LinkOf("old").killed);
}

TEST_F(ClientTest, KillRefusesWhatItCannotRead) {
  EXPECT_EQ(Run("CLIENT KILL ID"), "-ERR No such client\r\n");  // the old form
  EXPECT_EQ(Run("CLIENT KILL ID abc"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(Run("CLIENT KILL ID 0 SKIPME no"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(Run("CLIENT KILL USER nobody"), "-ERR No such user 'nobody'\r\n");
  EXPECT_EQ(Run("CLIENT KILL TYPE foo"), "-ERR Unknown client type 'foo'\r\n");
  EXPECT_EQ(Run("CLIENT KILL SKIPME maybe"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("CLIENT KILL ID 1 ADDR"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("CLIENT KILL MAXAGE 0"), "-ERR maxage should be greater than 0\r\n");
}

TEST_F(ClientTest, NamesArePrintableOrNone) {
  EXPECT_EQ(Run("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(Run("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_EQ(Run({"CLIENT", "SETNAME", "a\nb"}),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(Run("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_EQ(Run({"CLIENT", "SETNAME", ""}), "+OK\r\n");
  EXPECT_EQ(Run("CLIENT GETNAME"), "$-1\r\n");
}

TEST_F(ClientTest, SetInfoKnowsTwoOptions) {
  EXPECT_EQ(Run("CLIENT SETINFO LIB-VER 1.2"), "+OK\r\n");
  EXPECT_EQ(Run("CLIENT SETINFO FOO x"), "-ERR Unrecognized option 'FOO'\r\n");
  EXPECT_EQ(Run({"CLIENT", "SETINFO", "lib-name", "a b"}),
            "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n");
}

TEST_F(ClientTest, PauseChecksItsArguments) {
  EXPECT_EQ(Run("CLIENT PAUSE abc"), "-ERR timeout is not an integer or out of range\r\n");
  EXPECT_EQ(Run("CLIENT PAUSE -1"), "-ERR timeout is negative\r\n");
  EXPECT_EQ(Run("CLIENT PAUSE 1 foo"), "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
  EXPECT_EQ(
      Run("CLIENT PAUSE 1 WRITE x"),
      "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.\r\n");
  EXPECT_FALSE(server_.pause().active());
  EXPECT_EQ(Run("CLIENT PAUSE 100 WRITE"), "+OK\r\n");
  EXPECT_EQ(Run("SET a 1"), "(paused)");
  EXPECT_EQ(Run("GET a"), "$-1\r\n");
}

TEST_F(ClientTest, APauseBeginsWhenNothingElseRuns) {
  Hold hold(server_.keyspace().background_slot());
  ASSERT_TRUE(hold.TryPass(server_.keyspace().db(5)));
  EXPECT_EQ(Run("CLIENT PAUSE 100 WRITE"), "(soon)");
  EXPECT_FALSE(server_.pause().active());
  hold.Release();
  EXPECT_EQ(Run("CLIENT PAUSE 100 WRITE"), "+OK\r\n");
}

TEST_F(ClientTest, NobodyIsBlockedSoNobodyIsUnblocked) {
  EXPECT_EQ(Run("CLIENT UNBLOCK " + Id("")), ":0\r\n");
  EXPECT_EQ(Run("CLIENT UNBLOCK 1 FOO"),
            "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n");
  EXPECT_EQ(Run("CLIENT UNBLOCK x"), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(ClientTest, HelpListsTheSubcommands) {
  std::string help = Run("CLIENT HELP");
  EXPECT_TRUE(help.find("+CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n") !=
              help.npos);
  EXPECT_TRUE(help.find("+SETNAME connection-name\r\n") != help.npos);
  EXPECT_TRUE(help.ends_with("+HELP\r\n+    Prints this help.\r\n"));
}

TEST_F(ClientTest, TheMemoryOfAClientHasTheValuesThatWaitForIt) {
  const auto memory = [&] {
    const std::string line = Run("CLIENT LIST ID " + Id("slow"));
    return std::stoll(line.substr(line.find("tot-mem=") + 8));
  };
  const auto idle = memory();
  ClientNamed("slow").output_bytes = 17'000'000;
  ClientNamed("slow").output_memory = 1'000;
  EXPECT_EQ(memory(), idle + 17'000'000);
}

}  // namespace
}  // namespace cloakroom
