// Prints whatever the library reports, without knowing its keys: an object becomes a section, a list of objects a
// table.
#include "info.h"

#include <parallelstate.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

namespace psctl {
namespace {

using Json = nlohmann::ordered_json;

std::string cell(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ", ") + cell(item);
  return text.empty() ? "none" : text;
}

// "host_buffer_bytes" as people write it.
std::string title(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

// What names a row or the report comes first; JSON objects have no order.
constexpr const char* kFirst[] = {"version", "name", "operation"};

std::vector<std::string> ordered_keys(const Json& rows) {
  std::vector<std::string> keys;
  const auto add = [&keys](const std::string& key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  };
  for (const char* key : kFirst) {
    if (std::any_of(rows.begin(), rows.end(), [key](const Json& row) { return row.contains(key); })) add(key);
  }
  for (const Json& row : rows) {
    for (const auto& [key, value] : row.items()) add(key);
  }
  return keys;
}

bool is_table(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& row) { return row.is_object(); });
}

void print_row(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  std::string line = " ";
  for (size_t i = 0; i < cells.size(); ++i) {
    line += " " + cells[i];
    if (i + 1 < cells.size()) line += std::string(widths[i] - cells[i].size() + 1, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  std::printf("%s\n", line.c_str());
}

void print_table(const Json& rows) {
  const std::vector<std::string> columns = ordered_keys(rows);
  std::vector<std::vector<std::string>> lines(1);
  for (const std::string& column : columns) lines[0].push_back(title(column));
  for (const Json& row : rows) {
    auto& line = lines.emplace_back();
    for (const std::string& column : columns) line.push_back(row.contains(column) ? cell(row[column]) : "");
  }
  std::vector<size_t> widths(columns.size(), 0);
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) print_row(line, widths);
}

void print_fields(const Json& object, const std::string& indent) {
  size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, title(key).size());
  for (const std::string& key : ordered_keys(Json::array({object}))) {
    const Json& value = object[key];
    if (value.is_object()) {
      std::printf("%s%s\n", indent.c_str(), title(key).c_str());
      print_fields(value, indent + "  ");
    } else if (is_table(value)) {
      std::printf("%s%s\n", indent.c_str(), title(key).c_str());
      print_table(value);
    } else {
      std::printf("%s%-*s  %s\n", indent.c_str(), static_cast<int>(width), title(key).c_str(), cell(value).c_str());
    }
  }
}

void print_report(const Json& report) {
  Json plain = Json::object();
  for (const auto& [key, value] : report.items()) {
    if (!value.is_object() && !is_table(value)) plain[key] = value;
  }
  print_fields(plain, "");
  for (const auto& [key, value] : report.items()) {
    if (!value.is_object() && !is_table(value)) continue;
    std::printf("\n%s\n", title(key).c_str());
    if (value.is_object()) {
      print_fields(value, "  ");
    } else {
      print_table(value);
    }
  }
}

// Limits as rules write them: "<=64K", "<=8ranks".
std::string limit(const Json& row, const char* key, const char* suffix) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number_unsigned()) return "any";
  auto value = found->get<uint64_t>();
  const char* unit = "";
  for (const char* larger : {"K", "M", "G"}) {
    if (*suffix != '\0' || value == 0 || value % 1024 != 0) break;
    value /= 1024;
    unit = larger;
  }
  return "<=" + std::to_string(value) + unit + suffix;
}

// What a row asks of the group.
std::string group_limits(const Json& row) {
  const std::string ranks = limit(row, "max_ranks", "ranks");
  if (!row.value("uncrowded", false)) return ranks;
  return ranks == "any" ? "uncrowded" : "uncrowded," + ranks;
}

void print_dispatch(const Json& rows) {
  Json lines = Json::array();
  for (const Json& row : rows) {
    Json& line = lines.emplace_back();
    line["operation"] = row.value("operation", "");
    line["plane"] = row.value("plane", "");
    line["group"] = group_limits(row);
    line["bytes"] = limit(row, "max_bytes", "");
    line["algorithm"] = row.value("algorithm", "");
    line["from"] = row.value("from", "") == "rule" ? "PS_DISPATCH" : "library";
  }
  print_table(lines);
  std::printf("\nThe first row that fits a call and whose algorithm can run it decides; psDescribe shows what that comes to\n"
              "in a group. Rules in PS_DISPATCH or psConfig.dispatch, the same on all ranks, come before the library's:\n"
              "  PS_DISPATCH='all_reduce:shm:<=1M=two-shot;*:<=8ranks,<=16K=one-shot'\n");
}

}  // namespace

int info_command(const std::string& format, bool dispatch) {
  psBytes bytes = nullptr;
  const void* data = nullptr;
  if (psGetLibraryInfo(&bytes) < 0 || psBytesAt(bytes, 0, &data, nullptr, nullptr) < 0) {
    std::fprintf(stderr, "psctl info: %s\n", psLastError());
    psBytesFree(bytes);
    return 1;
  }
  Json report = Json::parse(static_cast<const char*>(data), nullptr, false);
  psBytesFree(bytes);
  if (report.is_discarded()) {
    std::fprintf(stderr, "psctl info: the library's report is not JSON\n");
    return 1;
  }
  if (dispatch) report = Json(report["dispatch"]);
  if (format == "json") {
    std::printf("%s\n", report.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else if (dispatch) {
    print_dispatch(report);
  } else {
    print_report(report);
  }
  return 0;
}

}  // namespace psctl
