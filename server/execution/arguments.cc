#include "server/execution/arguments.h"

#include <limits>
#include <optional>

#include "protocol/numbers.h"

namespace cloakroom {

bool Arguments::Ready() {
  if (ok() && next_ >= call_.argc()) SyntaxError();
  return ok();
}

bool Arguments::Word(std::string_view keyword, size_t values) {
  if (!More() || left() <= values || !call_.Is(next_, keyword)) return false;
  ++next_;
  return true;
}

std::string_view Arguments::Peek() const {
  return left() > 0 ? call_.arg(next_) : std::string_view();
}

std::string_view Arguments::String() { return Ready() ? call_.arg(next_++) : std::string_view(); }

int64_t Arguments::Integer(std::string_view error) {
  return IntegerIn(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), error);
}

int64_t Arguments::IntegerIn(int64_t low, int64_t high, std::string_view error) {
  if (!Ready()) return 0;
  const std::optional<int64_t> value = ParseInteger(call_.arg(next_++));
  if (value && *value >= low && *value <= high) return *value;
  Fail(error);
  return 0;
}

double Arguments::Double(std::string_view error) {
  if (!Ready()) return 0;
  const std::optional<double> value = ParseDouble(call_.arg(next_++));
  if (!value) Fail(error);
  return value.value_or(0);
}

void Arguments::Fail(std::string_view error) {
  if (ok()) error_ = error;
}

void Arguments::WrongArity() { Fail(WrongArityOf(call_.command().row->name)); }

bool Arguments::Finish() {
  if (!ok() && !replied_) {
    replied_ = true;
    call_.Error(error_);
  }
  return ok();
}

}  // namespace cloakroom
