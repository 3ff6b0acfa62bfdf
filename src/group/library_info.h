// What this library is and what it found on this machine, as JSON. For psctl info and for support questions.
#pragma once

#include <string>

namespace ps {

std::string library_info();

}  // namespace ps
