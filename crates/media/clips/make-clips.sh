#!/usr/bin/env bash
# Makes the clips that `rtckit loopback` sends when it is given no files. Needs ffmpeg with libvpx and libopus.
# Hidden frames (alt-ref, lag) are off: every frame of the file is one that a decoder shows.
set -euo pipefail
cd "$(dirname "$0")"

ffmpeg -hide_banner -loglevel error -y -f lavfi -i testsrc2=size=320x240:rate=25:duration=4 \
    -c:v libvpx -b:v 300k -maxrate 400k -bufsize 300k -g 25 -keyint_min 25 -auto-alt-ref 0 -lag-in-frames 0 \
    -deadline good -cpu-used 1 -threads 1 -pix_fmt yuv420p -fflags +bitexact -flags:v +bitexact clip.ivf

# a tone in the left ear, its fifth in the right
ffmpeg -hide_banner -loglevel error -y \
    -f lavfi -i 'aevalsrc=0.2*sin(2*PI*440*t)|0.2*sin(2*PI*660*t):sample_rate=48000:duration=4' \
    -c:a libopus -b:a 40k -vbr constrained -frame_duration 20 -application audio -map_metadata -1 -fflags +bitexact -flags:a +bitexact clip.ogg

ls -l clip.ivf clip.ogg
