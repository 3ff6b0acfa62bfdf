#include "world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "processes.h"

namespace ps_test {
namespace {

constexpr std::chrono::seconds kLastWords{20};

std::map<std::string, const Body*>& bodies() {
  static std::map<std::string, const Body*> all;
  return all;
}

// Of the rank that this thread is.
thread_local psContext own_context = nullptr;

// The others are told before the stack unwinds: what it holds may wait for them.
[[noreturn]] void give_up(const std::string& text) {
  if (own_context != nullptr) psAbort(own_context, text.c_str());
  throw Failure(text);
}

std::string place(std::source_location where) {
  return std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": ";
}

void run_member(const Body& body, Member& member) {
  own_context = member.context;
  require_ok(psGetGroup(member.context, "world", &member.world));
  body.run(member);
  require_ok(psGroupFree(member.world));
}

// Ranks that are threads share what the watching thread needs to end them.
struct Threads {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<psContext> contexts;
  std::string failure;
  int running = 0;
};

void run_thread(const Body& body, Threads& threads, Member member) {
  const auto rank = static_cast<size_t>(member.rank);
  try {
    psContext context = join(member.rendezvous, member.rank, member.size);
    {
      const std::lock_guard lock(threads.mutex);
      threads.contexts[rank] = context;
    }
    member.context = context;
    run_member(body, member);
  } catch (const std::exception& failure) {
    const std::lock_guard lock(threads.mutex);
    if (threads.failure.empty()) threads.failure = "rank " + std::to_string(member.rank) + ": " + failure.what();
    if (member.context != nullptr) psAbort(member.context, failure.what());
  }
  {
    const std::lock_guard lock(threads.mutex);
    threads.contexts[rank] = nullptr;
  }
  psFinalize(member.context);
  const std::lock_guard lock(threads.mutex);
  --threads.running;
  threads.changed.notify_all();
}

std::string description(psContext context) {
  psBytes json = nullptr;
  const void* data = nullptr;
  if (psDescribe(context, &json) != PS_OK) return psLastError();
  psBytesAt(json, 0, &data, nullptr, nullptr);
  std::string text = static_cast<const char*>(data);
  psBytesFree(json);
  return text;
}

void run_threads(const Body& body, int size, const std::string& argument, std::chrono::seconds deadline) {
  Threads threads;
  threads.contexts.resize(static_cast<size_t>(size));
  threads.running = size;
  const std::string rendezvous = unique_rendezvous();
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.emplace_back([&, rank] { run_thread(body, threads, {nullptr, nullptr, rank, size, argument, rendezvous}); });
  }
  {
    std::unique_lock lock(threads.mutex);
    const auto ended = [&] { return threads.running == 0; };
    if (!threads.changed.wait_for(lock, deadline, ended)) {
      std::string text = "the world of " + std::to_string(size) + " threads did not end within its deadline";
      for (psContext context : threads.contexts) {
        if (context == nullptr) continue;
        text += "\n" + description(context);
        psAbort(context, "the test's deadline");
      }
      if (threads.failure.empty()) threads.failure = text;
      if (!threads.changed.wait_for(lock, kLastWords, ended)) {
        std::fprintf(stderr, "%s: %s\nthreads that cannot be ended: giving up\n", body.name().c_str(), text.c_str());
        std::_Exit(3);
      }
    }
  }
  for (std::thread& rank : ranks) rank.join();
  if (!threads.failure.empty()) ADD_FAILURE() << body.name() << " on " << size << " threads: " << threads.failure;
}

}  // namespace

bool is_full() { return !kSanitized && std::getenv("PS_TEST_FULL") != nullptr; }

size_t stride_of(size_t normal, size_t sanitized) {
  if (is_full()) return 1;
  return kSanitized ? sanitized : normal;
}

std::chrono::seconds sweep_deadline() { return is_full() ? 10 * kDeadline : kDeadline; }

Body::Body(const char* name, BodyFunction function) : name_(name), function_(function) { bodies()[name_] = this; }

void run_world(const Body& body, Ranks ranks, int size, const std::string& argument, std::chrono::seconds deadline) {
  if (ranks == Ranks::kThreads) return run_threads(body, size, argument, deadline);
  const std::string failure = run_processes(body.name(), size, argument, deadline);
  if (!failure.empty()) ADD_FAILURE() << body.name() << " on " << size << " processes: " << failure;
}

bool run_rank(int argc, char** argv, int* status) {
  const auto rank = parse_rank(argc, argv);
  if (!rank) return false;
  Member member{nullptr, nullptr, rank->rank, rank->size, rank->argument, rank->rendezvous};
  *status = 1;
  try {
    die_with(rank->parent);
    member.context = join(rank->rendezvous, rank->rank, rank->size);
    run_member(*bodies().at(rank->body), member);
    require_ok(psFinalize(member.context));
    *status = 0;
  } catch (const std::exception& failure) {
    rank->report(failure.what());
    // Not finalized: the others are told at once that this rank failed.
    std::_Exit(1);
  }
  return true;
}

psContext join(const std::string& rendezvous, int rank, int size, const char* rules) {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.rank = rank;
  config.world_size = size;
  config.rendezvous = rendezvous.c_str();
  config.backend = std::getenv("PS_TEST_BACKEND");  // NULL: chosen by the library
  config.dispatch = rules;
  config.timeout_ms = 90'000;
  config.init_timeout_ms = 60'000;
  psContext context = nullptr;
  require_ok(psInit(&config, &context));
  return context;
}

std::string described(psContext context) {
  psBytes bytes = nullptr;
  const void* data = nullptr;
  require_ok(psDescribe(context, &bytes));
  require_ok(psBytesAt(bytes, 0, &data, nullptr, nullptr));
  std::string text = static_cast<const char*>(data);
  require_ok(psBytesFree(bytes));
  return text;
}

std::string unique_rendezvous() {
  static std::atomic<int> next{0};
  return "mem://multiproc-" + std::to_string(::getpid()) + "-" + std::to_string(next.fetch_add(1));
}

void require(bool holds, std::string_view what, std::source_location where) {
  if (!holds) give_up(place(where) + std::string(what));
}

void require_ok(psResult result, std::source_location where) {
  if (result != PS_OK) give_up(place(where) + psResultName(result) + ": " + psLastError());
}

void require_error(psResult result, psResult expected, std::string_view text, std::source_location where) {
  const std::string found = result == PS_OK ? "" : psLastError();
  if (result != expected) {
    give_up(place(where) + psResultName(result) + " instead of " + psResultName(expected) + ": " + found);
  }
  if (found.find(text) == std::string::npos) {
    give_up(place(where) + "the text \"" + found + "\" does not say \"" + std::string(text) + "\"");
  }
}

}  // namespace ps_test
