#ifndef CLOAKROOM_SERVER_EXECUTION_ARGUMENTS_H_
#define CLOAKROOM_SERVER_EXECUTION_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// A cursor over the arguments of a call. It takes one argument after another and remembers the
/// first error. After an error nothing is taken any more: words do not match, numbers are 0 and
/// strings empty, so a command function looks at ok() once, by Finish(), when it has read all.
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
class Arguments {
 public:
  /// Begins at argument `first`, which may be the one behind the last.
  Arguments(Call& call, size_t first) : call_(call), next_(first) {}
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  Call& call() { return call_; }

  /// Whether an argument is left to take. False after an error.
  bool More() const { return ok() && next_ < call_.argc(); }
  /// How many are left, errors or not.
  size_t left() const { return next_ < call_.argc() ? call_.argc() - next_ : 0; }
  /// The position of the next argument.
  size_t at() const { return next_; }
  /// Goes on at another argument, also backwards: for what Redis looks at out of order.
  void GoTo(size_t i) { next_ = i; }
  /// The arguments that are left: keys, fields, members.
  CommandArguments Rest() const { return call_.args().subspan(call_.argc() - left()); }

  /// Takes the next argument if it is this word, in any case, and at least `values` arguments
  /// follow it.
  bool Word(std::string_view keyword, size_t values = 0);
  /// The next argument, which is not taken. Empty when there is none.
  std::string_view Peek() const;

  // Take one argument. When there is none, the error is the syntax error.
  std::string_view String();
  int64_t Integer(std::string_view error = kNotInteger);
  /// `error` also when the number is below `low` or above `high`.
  int64_t IntegerIn(int64_t low, int64_t high, std::string_view error = kNotInteger);
  double Double(std::string_view error = kNotFloat);

  // Remember an error, unless there is one before it.
  void Fail(std::string_view error);
  void SyntaxError() { Fail(kSyntaxError); }
  void WrongArity();

  bool ok() const { return error_.empty(); }
  /// Replies the error, if there is one, the first time it is called. Returns ok().
  [[nodiscard]] bool Finish();

 private:
  /// Whether the next argument can be taken; when there is none that is an error.
  bool Ready();

  Call& call_;
  size_t next_;
  std::string error_;
  bool replied_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ARGUMENTS_H_
