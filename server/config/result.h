#ifndef CLOAKROOM_SERVER_CONFIG_RESULT_H_
#define CLOAKROOM_SERVER_CONFIG_RESULT_H_

#include <string>
#include <utility>
#include <variant>

namespace cloakroom::config {

/// Why a value, a line or a change was refused, in the words that an operator gets to read.
struct Error {
  std::string message;
};

/// A value, or the reason that there is none. Plain data: as thread-safe as T.
template <class T>
class Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: conversion is the point
  Result(Error error) : state_(std::move(error)) {}  // NOLINT: conversion is the point

  bool ok() const { return state_.index() == 0; }
  /// REQUIRES: ok().
  const T& operator*() const { return std::get<0>(state_); }
  T& operator*() { return std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  /// REQUIRES: !ok().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_RESULT_H_
