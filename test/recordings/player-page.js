/* What the page of players.ci.ts does, in the browser. */
const video = document.querySelector('video')
const context = document.createElement('canvas').getContext('2d')
const complaints = []

/** What is in the middle of the picture, 0 black to 255 white. */
function sample() {
  context.drawImage(video, 0, 0, 32, 32)
  return context.getImageData(16, 16, 1, 1).data[0]
}

/** Resolves when it could show a picture. */
async function open(player, url) {
  if (player === 'hls.js') {
    const hls = new globalThis.Hls()
    hls.on('hlsError', (_name, { fatal, details }) => void (fatal && complaints.push(details)))
    hls.loadSource(url)
    hls.attachMedia(video)
  } else {
    const shaka = new globalThis.shaka.Player()
    await shaka.attach(video)
    await shaka.load(url)
  }
  await new Promise((resolve) => {
    if (video.readyState >= 2) resolve()
    else video.addEventListener('loadeddata', resolve, { once: true })
  })
}

async function greyAt(second) {
  // Its picture is another only once it is shown.
  const shown = new Promise((resolve) => void video.requestVideoFrameCallback(resolve))
  video.currentTime = second
  await shown
  return sample()
}

globalThis.seen = { open, greyAt, sample, complaints, play: () => video.play(), duration: () => video.duration }
