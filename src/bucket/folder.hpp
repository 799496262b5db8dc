// The name of an export's folder (doc/design.md, "The bucket").
#pragma once

#include <string>
#include <string_view>

namespace hydra::bucket {

// The folder after `last_folder` ('' = none) for an export that starts in the minute `minute_now`
// ("201601310400"). Names only increase: a later minute is used as it is; within the same minute,
// or if the clock was set back, the last folder's minute gets the next suffix, _002 to _999. After
// _999 comes the following minute, without a suffix, because a fourth digit would sort before
// (_1000 < _999).
//
// The keys within the folders sort in the same order, as '/' < '0' < '_'.
//
// Throws std::runtime_error if an argument does not have the form of a minute or a folder.
std::string next_folder(std::string_view minute_now, std::string_view last_folder);

}  // namespace hydra::bucket
