// The sentences in which failures are told: who, where, and what each called last.
#pragma once

#include <string>

#include "control/world.h"
#include "host/signature.h"

namespace ps {

// "all_reduce(count 4, float32, sum) #12 on group 'tp'"; number 0 is left out.
std::string describe_call(const Signature& signature, uint64_t number, const std::string& group);

// "its last call was barrier() #3 on group 'world', begun 2.1 s ago and not yet returned from"
std::string describe_last_call(const World& world, int32_t rank);

// Records this rank's call for the texts of others; `blocking`: until record_return it is in it.
void record_call(const World& world, const Signature& signature, uint64_t number, const CallRecord::Name& group,
                 bool blocking);
// As much of a group's name as a record has room for.
CallRecord::Name record_name(const std::string& group);
void record_return(const World& world);

}  // namespace ps
