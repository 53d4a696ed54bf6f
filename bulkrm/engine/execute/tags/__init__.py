"""Removing single tags. Each is read right before it changes, and put back where it must not be lost.

=================  ====================================  =============================  =============================
module             which tags                            why                            if a tag cannot go
=================  ====================================  =============================  =============================
`dangling`         that lead to no manifest              the list names them            it is kept, or has failed
`untag`,           of a manifest that stays              `--shared untag`               it has failed
`untag_by_decoy`
`tags_first`       of many manifests of a repository     it saves the registry work     it goes with its manifest
                   that are deleted afterwards
`untagged_first`   of one manifest that is deleted       the registry refuses to        its manifest is not deleted
                   right afterwards                      delete a tagged manifest
=================  ====================================  =============================  =============================

A tag goes by DELETE, or by decoy where the registry deletes no tags (`decoy`, `decoy_proof`, `other_decoys`). `tag_change`
has the rules of one change, `tag_changer` sends it. `tags_ahead` makes the changes of the last two rows, and notes them in
`engine.removed_ahead` for later reads of the repository.
"""
