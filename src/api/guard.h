// The firewall around every extern "C" function: no exception leaves, each becomes a code and a text.
//
// Functions behind it are not noexcept: a thread's cancellation is an exception that must pass. Cancellation is
// disabled inside, at once or where something is a cancellation point. The caller's own log function, which could enable
// it, is not to be left by it.
#pragma once

#include <cxxabi.h>

#include <atomic>
#include <new>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/no_cancellation.h"

namespace ps::api {

// Stores the thread's error text "function: text", cut to its room, and returns the code. Needs no memory.
psResult fail_with(const char* function, psResult code, const char* text);
const char* last_error();

// Set in the child of a fork while contexts lived.
extern std::atomic<bool> forked;
// Counted so that a fork knows.
void context_opened();
void context_closed();

// Of calls that move data: what they do in the common case is no cancellation point, and disabling costs a noticeable part
// of a small one, so whatever else they come to disables it there.
template <class Body>
psResult guard_operation(const char* function, Body&& body) {
  if (forked.load(std::memory_order_relaxed)) {
    return fail_with(function, PS_ERR_STATE, "this is the child of a fork; the parent's contexts are not its own. Start "
                                             "ranks as new processes, or fork before psInit");
  }
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return PS_OK;
    } else {
      return body();
    }
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const Error& error) {
    return fail_with(function, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail_with(function, PS_ERR_NO_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail_with(function, PS_ERR_INTERNAL, error.what());
  } catch (...) {
    return fail_with(function, PS_ERR_INTERNAL, "unknown exception");
  }
}

// `body` returns void for PS_OK, or a psResult.
template <class Body>
psResult guard(const char* function, Body&& body) {
  const NoCancellation no_cancellation;
  return guard_operation(function, std::forward<Body>(body));
}

template <class Pointer>
void require(Pointer* pointer, const char* name) {
  if (pointer == nullptr) fail(PS_ERR_ARGUMENT, "{} is NULL", name);
}

}  // namespace ps::api
