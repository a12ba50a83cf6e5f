#include "server/commands/command_docs.h"

#include <vector>

#include "server/command_labels.h"
#include "server/command_syntax.h"

namespace cloakroom {
namespace {

/// Writes the arguments of one command; counts its keys on the way, to say which of the row's key
/// specs each is of.
class ArgumentDocs {
 public:
  ArgumentDocs(ReplyWriter& reply, const CommandRow& row) : reply_(reply), row_(row) {}

  void Write(const std::vector<SyntaxArgument>& arguments) {
    reply_.Array(arguments.size());
    for (const SyntaxArgument& argument : arguments) Write(argument);
  }

 private:
  static std::string_view TypeName(const SyntaxArgument& argument) {
    switch (argument.kind) {
      case SyntaxArgument::Kind::kToken:
        return "pure-token";
      case SyntaxArgument::Kind::kOneOf:
        return "oneof";
      case SyntaxArgument::Kind::kBlock:
        return "block";
      case SyntaxArgument::Kind::kValue:
        return TypeOfValue(argument.name);
    }
    return "string";
  }

  void Write(const SyntaxArgument& argument) {
    std::string_view type = TypeName(argument);
    bool is_key = type == "key" && !row_.keys[0].empty();
    if (type == "key" && !is_key) type = "string";
    bool leaf = argument.parts.empty();
    bool flagged = argument.optional || argument.multiple;
    size_t pairs = 2;
    for (bool more : {leaf, is_key, !argument.token.empty(), flagged, !leaf}) pairs += more ? 1 : 0;
    reply_.Map(pairs);
    Pair("name", argument.name);
    Pair("type", type);
    if (leaf) Pair("display_text", argument.name);
    if (is_key) {
      reply_.Bulk("key_spec_index");
      reply_.Integer(NextKeySpec());
    }
    if (!argument.token.empty()) Pair("token", argument.token);
    if (flagged) {
      reply_.Bulk("flags");
      reply_.Set((argument.optional ? 1 : 0) + (argument.multiple ? 1 : 0));
      if (argument.optional) reply_.Simple("optional");
      if (argument.multiple) reply_.Simple("multiple");
    }
    if (!leaf) {
      reply_.Bulk("arguments");
      Write(argument.parts);
    }
  }

  void Pair(std::string_view name, std::string_view value) {
    reply_.Bulk(name);
    reply_.Bulk(value);
  }

  int NextKeySpec() {
    bool last = next_key_spec_ + 1 >= static_cast<int>(row_.keys.size()) ||
                row_.keys[static_cast<size_t>(next_key_spec_) + 1].empty();
    return last ? next_key_spec_ : next_key_spec_++;
  }

  ReplyWriter& reply_;
  const CommandRow& row_;
  int next_key_spec_ = 0;
};

}  // namespace

void ReplyDocs(ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  std::vector<SyntaxArgument> arguments = ParseSyntax(row.syntax);
  reply.Bulk(row.name);
  reply.Map(4 + (arguments.empty() ? 0 : 1) + (command.container() ? 1 : 0));
  reply.Bulk("summary");
  reply.Bulk(row.summary);
  reply.Bulk("since");
  reply.Bulk(row.since);
  reply.Bulk("group");
  reply.Bulk(GroupName(command.group));
  reply.Bulk("complexity");
  reply.Bulk(row.complexity);
  if (!arguments.empty()) {
    reply.Bulk("arguments");
    ArgumentDocs(reply, row).Write(arguments);
  }
  if (command.container()) {
    reply.Bulk("subcommands");
    reply.Map(command.subcommands.size());
    for (const Command* subcommand : command.subcommands) ReplyDocs(reply, *subcommand);
  }
}

}  // namespace cloakroom
