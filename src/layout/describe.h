// Layouts as JSON texts: one whole, and what differs between two.
#pragma once

#include <string>

#include "layout/layout.h"

namespace ps::layout {

// {"spec", "world", "hash", "axes": [{"name", "size"}], "groups": {name: [[ranks]]}, "aliases": {name: name}}. The hash
// is hexadecimal text, because not every language's JSON holds 64-bit integers. UNSUPPORTED when it would be over 1
// GiB.
std::string describe(const Layout& layout);

// {"equal": true} or {"equal": false, "specs": [..], "worlds": [..], "keys": [..], "groups": {name: ..}}. Of groups
// with over 4096 members those "from" the first that differs are shown.
std::string describe_difference(const Layout& one, const Layout& other);

// "tp=4 and tp=2", "pp=2 and no pp": the keys in which two canonical specs differ, the first spec's value first. "" for
// equal ones.
std::string key_difference(const std::string& one, const std::string& other);

}  // namespace ps::layout
