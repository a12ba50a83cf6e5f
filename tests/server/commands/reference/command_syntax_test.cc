#include "server/commands/reference/command_syntax.h"

#include "gtest/gtest.h"
#include "server/commands/families.h"
#include "server/execution/command_table.h"

namespace cloakroom {
namespace {

/// The arguments in a short notation: name:type, TOKEN=, ? optional, + multiple, ( ) parts.
std::string Text(const std::vector<SyntaxArgument>& arguments) {
  std::string text;
  for (const SyntaxArgument& argument : arguments) {
    if (!text.empty()) text += " ";
    if (!argument.token.empty()) text += argument.token + "=";
    text += argument.name + ":" + std::string(TypeName(argument.type));
    if (!argument.arguments.empty()) text += "(" + Text(argument.arguments) + ")";
    if (argument.optional) text += "?";
    if (argument.multiple) text += "+";
    if (argument.multiple_token) text += "*";
    if (argument.key_spec) text += "#" + std::to_string(*argument.key_spec);
  }
  return text;
}

std::string Parsed(std::string_view syntax) { return Text(ParseSyntax(syntax)); }

TEST(CommandSyntaxTest, ValuesInTheirOrder) {
  EXPECT_EQ(Parsed(""), "");
  EXPECT_EQ(Parsed("key seconds value"), "key:key seconds:integer value:string");
}

TEST(CommandSyntaxTest, RepetitionMakesMultiple) {
  EXPECT_EQ(Parsed("key [key ...]"), "key:key+");
  EXPECT_EQ(Parsed("[arg [arg ...]]"), "arg:string?+");
  EXPECT_EQ(Parsed("key field value [field value ...]"),
            "key:key data:block(field:string value:string)+");
}

TEST(CommandSyntaxTest, AlternativesAndTokens) {
  EXPECT_EQ(Parsed("key [NX | XX] [GET]"),
            "key:key nx:oneof(NX=nx:pure-token XX=xx:pure-token)? GET=get:pure-token?");
  EXPECT_EQ(Parsed("[EX seconds | KEEPTTL]"),
            "seconds:oneof(EX=seconds:integer KEEPTTL=keepttl:pure-token)?");
  EXPECT_EQ(Parsed("<AND | OR> destkey"),
            "and:oneof(AND=and:pure-token OR=or:pure-token) destkey:key");
}

TEST(CommandSyntaxTest, ATokenIntroducesItsGroup) {
  EXPECT_EQ(Parsed("[LIMIT offset count]"), "LIMIT=limit:block(offset:integer count:integer)?");
  EXPECT_EQ(Parsed("[TYPE <A | B>]"), "TYPE=a:oneof(A=a:pure-token B=b:pure-token)?");
  EXPECT_EQ(Parsed("[ID client-id [client-id ...]]"), "ID=client-id:integer?+");
  EXPECT_EQ(Parsed("key FIELDS numfields field [field ...]"),
            "key:key FIELDS=numfields:integer field:string+");
}

TEST(CommandSyntaxTest, ATokenMayRepeatWithItsArguments) {
  EXPECT_EQ(Parsed("[GET pattern [GET pattern ...]]"), "GET=pattern:pattern?+*");
  EXPECT_EQ(Parsed("key [e_o: GET encoding offset [GET encoding offset ...]]"),
            "key:key GET=e_o:block(encoding:string offset:integer)?+*");
}

TEST(CommandSyntaxTest, ValuesMaySayTheirTypesAndKeySpecs) {
  EXPECT_EQ(Parsed("min:double timeout:integer ip:port"),
            "min:double timeout:integer ip:port:string");
  EXPECT_EQ(Parsed("[BY pattern#1] destination#2 end:string#0"),
            "BY=pattern:pattern?#1 destination:key#2 end:string#0");
}

TEST(CommandSyntaxTest, ALabelNamesItsGroup) {
  EXPECT_EQ(Parsed("<where: LEFT | RIGHT>"),
            "where:oneof(LEFT=left:pure-token RIGHT=right:pure-token)");
  EXPECT_EQ(Parsed("[offset_count: LIMIT offset count]"),
            "LIMIT=offset_count:block(offset:integer count:integer)?");
  EXPECT_EQ(Parsed("[change: CH] [operator: <equal: => | <almost: ~>]"),
            "CH=change:pure-token? operator:oneof(==equal:pure-token ~=almost:pure-token)?");
  EXPECT_EQ(Parsed("[count: <COUNT count> [ANY]]"),
            "count:block(COUNT=count:integer ANY=any:pure-token?)?");
  EXPECT_EQ(Parsed("[aggregate: AGGREGATE <SUM | MIN>]"),
            "AGGREGATE=aggregate:oneof(SUM=sum:pure-token MIN=min:pure-token)?");
}

TEST(CommandSyntaxTest, ALabelNamesWhatRepeats) {
  EXPECT_EQ(Parsed("score member [score_member: score member ...]"),
            "score_member:block(score:double member:string)+");
  EXPECT_EQ(Parsed("pattern [pattern: pattern ...]"), "pattern:block(pattern:pattern)+");
  EXPECT_EQ(Parsed("[id: ID client-id [client-id ...]]"), "ID=id:block(client-id:integer+)?");
  EXPECT_EQ(Parsed("<new: [ID client-id] | [USER username] ...>"),
            "new:oneof(ID=client-id:integer? USER=username:string?)+");
}

TEST(CommandSyntaxTest, PeopleReadItWithoutTypesAndLabels) {
  EXPECT_EQ(ReadableSyntax("key [BY pattern#1] min:double <where: LEFT | RIGHT> ip:port"),
            "key [BY pattern] min <LEFT | RIGHT> ip:port");
  EXPECT_EQ(ReadableSyntax("score member [score_member: score member ...]"),
            "score member [score member ...]");
  EXPECT_EQ(ReadableSyntax("[operator: <equal: => | <almost: ~>] threshold"),
            "[<=> | <~>] threshold");
}

TEST(CommandSyntaxTest, GroupsNest) {
  EXPECT_EQ(Parsed("key [start end [BYTE | BIT]]"),
            "key:key start:block(start:integer end:integer byte:oneof(BYTE=byte:pure-token "
            "BIT=bit:pure-token)?)?");
}

void ExpectNamed(const std::vector<SyntaxArgument>& arguments, std::string_view row) {
  for (const SyntaxArgument& argument : arguments) {
    EXPECT_FALSE(argument.name.empty()) << row;
    EXPECT_EQ(argument.name.find_first_of("[]<>|."), std::string::npos) << row << argument.name;
    ExpectNamed(argument.arguments, row);
  }
}

TEST(CommandSyntaxTest, EveryRowsSyntaxIsReadToItsEnd) {
  CommandTable table(CommandFamilies());
  for (int i = 0; i < table.size(); ++i) {
    const CommandRow& row = *table.at(i).row;
    auto arguments = ParseSyntax(row.syntax);
    EXPECT_EQ(arguments.empty(), row.syntax.empty()) << row.name;
    ExpectNamed(arguments, row.name);
    // The last word is somewhere in the result, so nothing was left unread.
    const std::string syntax = ReadableSyntax(row.syntax);
    size_t end = syntax.find_last_not_of(" .]>");
    if (end == syntax.npos) continue;
    size_t start = syntax.find_last_of(" [<|", end) + 1;
    const std::string last = syntax.substr(start, end + 1 - start);
    EXPECT_NE(Text(arguments).find(last), std::string::npos) << row.name << ": " << last;
  }
}

}  // namespace
}  // namespace cloakroom
