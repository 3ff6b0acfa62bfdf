// Asynchronous operations.
#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "group/failure_text.h"

using namespace ps::api;

namespace {

psResult outcome(const char* function, const ps::Work& work) {
  const ps::Request& request = *work.request;
  if (!request.error) return PS_OK;
  return fail_with(function, request.error->code(), request.error->what());
}

psResult wait(const char* function, psWork handle, int64_t timeout_ms) {
  ps::Work& work = open(handle);
  check_timeout(timeout_ms, "timeout_ms");
  if (timeout_ms == 0 && work.communicator->test(*work.request)) return outcome(function, work);
  const auto deadline = timeout_ms < 0 ? ps::Deadline::never() : ps::Deadline::in_ms(timeout_ms);
  if (timeout_ms != 0 && work.communicator->wait(*work.request, deadline)) return outcome(function, work);
  const ps::Request& request = *work.request;
  const std::string text =
      fmt::format("this wait ran out after {} ms, but {} goes on; it waits for {}", timeout_ms,
                  ps::describe_call(request.signature, request.number, request.label.name), work.communicator->missing(request));
  return fail_with(function, PS_ERR_TIMEOUT, text.c_str());
}

}  // namespace

psResult psWorkTest(psWork work) {
  return guard("psWorkTest", [&] {
    ps::Work& object = open(work);
    return object.communicator->test(*object.request) ? outcome("psWorkTest", object) : PS_IN_PROGRESS;
  });
}

psResult psWorkWait(psWork work, int64_t timeout_ms) {
  return guard("psWorkWait", [&] { return wait("psWorkWait", work, timeout_ms); });
}

psResult psWorkOrder(psWork work, void*, int64_t timeout_ms) {
  return guard("psWorkOrder", [&] { return wait("psWorkOrder", work, timeout_ms); });
}

psResult psWorkError(psWork work, const char** text) {
  return guard("psWorkError", [&] {
    const ps::Work& object = *checked(work).object;
    require(text, "text");
    const ps::Request& request = *object.request;
    *text = request.finished() && request.error ? request.error->what() : "";
  });
}

psResult psWorkFree(psWork work) {
  return guard("psWorkFree", [&] {
    if (work != nullptr) Pool<psWorkImpl>::release(work);
  });
}
