#include "layout/plan.h"

namespace ps::layout {

void Plan::add_alias(std::string name, std::string_view of) {
  names.push_back({std::move(name), std::string(of), find(of)->rule});
}

const Name* Plan::find(std::string_view name) const {
  for (const Name& each : names) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

void CanonicalSpec::always(std::string_view key, std::string_view value) {
  text_ += first_ ? ':' : ',';
  first_ = false;
  text_.append(key).append("=").append(value);
}

void CanonicalSpec::view(std::string_view name) {
  text_.append(";").append(name);
  first_ = true;
}

}  // namespace ps::layout
