#!/bin/bash
# An exploration as a Slurm array: sbatch --export=SCENARIO=open_vs_unregister slurm.sh
# Then, when all are done: vfiosim merge "$SCENARIO"-*.json
#SBATCH --job-name=vfiosim
#SBATCH --array=0-63
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
exec vfiosim explore "$SCENARIO" \
	--shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
	--time 3500 --quiet \
	--checkpoint "$SCENARIO-$SLURM_ARRAY_TASK_ID.checkpoint" \
	--json "$SCENARIO-$SLURM_ARRAY_TASK_ID.json"
