#ifndef CLOAKROOM_SERVER_EXECUTION_ARGUMENTS_H_
#define CLOAKROOM_SERVER_EXECUTION_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// A cursor over the arguments of a call. It takes one argument after another and remembers the
/// first error. After an error it takes nothing more: words do not match, numbers are 0 and strings
/// are empty. So a command function checks once, with Finish(), after it has read everything.
///
///   Arguments args(call, 2);
///   while (args.More()) {
///     if (args.Word("WITHSCORES")) {
///       options.with_scores = true;
///     } else if (args.Word("LIMIT")) {
///       options.offset = args.Integer();
///       options.count = args.Integer();
///     } else {
///       args.SyntaxError();
///     }
///   }
///   if (!args.Finish()) return;
///
/// Thread rule: the thread of the call.
class Arguments {
 public:
  /// Begins at argument `first`, which may be one past the last.
  Arguments(Call& call, size_t first) : call_(call), next_(first) {}
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  Call& call() { return call_; }

  /// Whether an argument is left to take. False after an error.
  bool More() const { return ok() && next_ < call_.argc(); }
  /// How many arguments are left, even after an error.
  size_t left() const { return next_ < call_.argc() ? call_.argc() - next_ : 0; }
  /// The position of the next argument.
  size_t at() const { return next_; }
  /// Moves to another argument, forwards or backwards, for arguments that Redis reads out of order.
  void GoTo(size_t i) { next_ = i; }
  /// The arguments that are left: keys, fields, members.
  CommandArguments Rest() const { return call_.args().subspan(call_.argc() - left()); }

  /// Takes the next argument if it is `keyword`, in any case, and at least `values` arguments
  /// follow.
  bool Word(std::string_view keyword, size_t values = 0);
  /// The next argument, without taking it. Empty when there is none.
  std::string_view Peek() const;

  // These take one argument. If there is none, the error is the syntax error.
  std::string_view String();
  int64_t Integer(std::string_view error = kNotInteger);
  /// The error is also `error` when the number is below `low` or above `high`.
  int64_t IntegerIn(int64_t low, int64_t high, std::string_view error = kNotInteger);
  double Double(std::string_view error = kNotFloat);

  // These remember an error, unless there is an earlier one.
  void Fail(std::string_view error);
  void SyntaxError() { Fail(kSyntaxError); }
  void WrongArity();

  bool ok() const { return error_.empty(); }
  /// On its first call, replies with the error if there is one. Returns ok().
  [[nodiscard]] bool Finish();

 private:
  /// Whether the next argument can be taken. It is an error if there is none.
  bool Ready();

  Call& call_;
  size_t next_;
  std::string error_;
  bool replied_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ARGUMENTS_H_
