// Claims an export's folder in the bucket.
#pragma once

#include "export/uploader.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

enum class ClaimOutcome {
  ours,      // no other exporter has this folder: this export wrote whatever is in it
  taken,     // it is, or may be, another exporter's: take another folder and claim that
  unproven,  // not known: the store does not support If-None-Match, or `conditional` is off
};

// Stores <folder>/_claim.json, which identifies the writer, on the condition that it does not
// exist. This precedes all other objects of the export, and must not run in a transaction. If the
// response was lost and the claim exists afterwards, it may be another exporter's, so the folder
// counts as taken.
//
// If the folder is ours, the uploader's objects are stored conditionally from then on: an object
// that exists after a response was lost is this export's. Otherwise another exporter writes to the
// folder, which is an error. The store's support is recorded in `destination`, so that scan workers
// do the same.
//
// Throws pg::Error if the claim could not be stored, or `conditional` is on and the store does not
// support it.
ClaimOutcome claim_folder(Uploader& uploader, tables::Destination& destination,
                          const tables::Claim& claim);

}  // namespace hydra::exporting
