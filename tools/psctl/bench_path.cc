#include "bench_path.h"

#include <nlohmann/json.hpp>

#include "bench_world.h"

namespace psctl {
namespace {

// As psDescribe names it. A message counts where it is sent.
const char* counted_as(measure::Operation operation) {
  return operation == measure::Operation::kSendRecv ? "send" : measure::name_of(operation);
}

nlohmann::json description(psContext context) {
  psBytes bytes = nullptr;
  check(psDescribe(context, &bytes), "psDescribe");
  const void* data = nullptr;
  const psResult result = psBytesAt(bytes, 0, &data, nullptr, nullptr);
  nlohmann::json world;
  if (result >= 0) world = nlohmann::json::parse(static_cast<const char*>(data), nullptr, false);
  psBytesFree(bytes);
  check(result, "psBytesAt");
  return world;
}

}  // namespace

PathsTaken::PathsTaken(psContext context, psGroup group) : context_(context) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  check(psGetGroupInfo(group, &info), "psGetGroupInfo");
  group_ = info.name;
  seen_ = read();
}

std::map<std::string, PathsTaken::Counts> PathsTaken::read() const {
  const nlohmann::json world = description(context_);
  nlohmann::json serial;
  for (const auto& group : world.at("groups")) {
    if (group.at("name") == group_) serial = group.at("communicator");
  }
  for (const auto& communicator : world.at("communicators")) {
    if (communicator.at("serial") == serial) return communicator.at("paths").get<std::map<std::string, Counts>>();
  }
  return {};
}

void PathsTaken::note(const measure::Shape& shape, std::set<std::string>& paths) {
  auto now = read();
  const std::string operation = counted_as(shape.operation);
  for (const auto& [path, count] : now[operation]) {
    if (count > seen_[operation][path]) paths.insert(path);
  }
  seen_ = std::move(now);
}

std::string paths_text(const std::set<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) text += (text.empty() ? "" : ", ") + path;
  return text;
}

}  // namespace psctl
