// An export's folder in the bucket, made its own.
#pragma once

#include "export/uploader.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

enum class ClaimOutcome {
  ours,      // nobody else has this folder: what is in it already was sent by this export
  taken,     // it is somebody's, or may be: take another one, and claim that
  unproven,  // the store does not take If-None-Match, or the destination does not want it
};

// Stores <folder>/_claim.json, which says who writes, only where there is none. It comes before all
// other objects of the export, in no transaction. A claim whose answer was lost and that is there
// afterwards may be another's, and so counts as taken.
//
// From then on the uploader's objects are stored conditionally where the folder is ours: an object
// that is there already after an answer was lost is this export's; otherwise another exporter
// writes to the folder, which fails. `destination` learns the store's answer, so that scan workers
// do the same.
//
// Throws pg::Error when the claim could not be stored, or `conditional` is on and the store does
// not do it.
ClaimOutcome claim_folder(Uploader& uploader, tables::Destination& destination,
                          const tables::Claim& claim);

}  // namespace hydra::exporting
