// What is said about many times.
#pragma once

#include <vector>

namespace measure {

// The smallest value that at least the fraction q of the values does not exceed; 0 without values.
double quantile(std::vector<double> values, double q);

// The middle value, or the mean of the two in the middle.
double median(std::vector<double> values);

}  // namespace measure
