#ifndef CLOAKROOM_SERVER_CONTEXT_TASK_H_
#define CLOAKROOM_SERVER_CONTEXT_TASK_H_

#include <coroutine>
#include <exception>
#include <utility>

namespace cloakroom {

/// A coroutine that runs in steps, on whatever thread resumes it; one thread at a time. It starts
/// with the first Resume. It keeps no thread while it waits: whatever it waits for has it resumed.
///
/// A coroutine keeps its parameters alive, but not the captures of a lambda: the lambda must
/// outlive the Task.
class Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  Task() = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool done() const { return handle_.done(); }
  /// REQUIRES: !done().
  void Resume() { handle_.resume(); }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_TASK_H_
